/* From a number a sample to a number an output: what stands in a vector of rows that follow each other.
 *
 * Included once per precision, by row_block.inc.
 */

/* lane[j] of x in place j, where there is an instruction for that */
#undef FL_EXPANDS
#if FL_VECTOR_BYTES == 64
#define FL_EXPANDS 1
FL_INLINE V FN(fl_expand)(V x, VI lane)
{
#if FL_BITS == 64
    return (V)_mm512_permutexvar_pd((__m512i)lane, (__m512d)x);
#else
    return (V)_mm512_permutexvar_ps((__m512i)lane, (__m512)x);
#endif
}
#elif FL_VECTOR_BYTES == 32 && FL_BITS == 32 && defined(__AVX2__)
#define FL_EXPANDS 1
FL_INLINE V FN(fl_expand)(V x, VI lane)
{
    return (V)_mm256_permutevar8x32_ps((__m256)x, (__m256i)lane);
}
#else
#define FL_EXPANDS 0
#endif

/* Outputs a sample, at most: of each vector of a tile of rows it must be known which lanes and outputs it holds. */
#undef FL_EXPANDED
#define FL_EXPANDED 64

typedef struct {
    FL_ALIGNED INT lane[FL_EXPANDED * LANES], output[FL_EXPANDED * LANES];
} FN(FlExpansion);

FL_INLINE void FN(fl_expansion_of)(ptrdiff_t n_outputs, FN(FlExpansion) * expansion)
{
    for (ptrdiff_t l = 0, j = 0; l < LANES; l++)
        for (ptrdiff_t k = 0; k < n_outputs; k++, j++) {
            expansion->lane[j] = (INT)l;
            expansion->output[j] = (INT)k;
        }
}
