/* Float64 sums of vectors of REALs. Included once per precision, after real.h. */

/* Float64 sums of LANES terms: one vector, or two halves where the terms are float32. */
#if FL_VECTOR_BYTES && FL_BITS == 32
typedef struct {
    fl_v_f64 low, high;
} FN(fl_sum);
#else
typedef struct {
    fl_v_f64 low;
} FN(fl_sum);
#endif

FL_INLINE FN(fl_sum) FN(fl_no_sum)(void)
{
    FN(fl_sum) sum;
    memset(&sum, 0, sizeof sum);
    return sum;
}

FL_INLINE void FN(fl_sum_add)(FN(fl_sum) * sum, V x)
{
#if FL_VECTOR_BYTES && FL_BITS == 32
    sum->low += vwiden_low(x);
    sum->high += vwiden_high(x);
#else
    /* fused with a product in x the last vector, part of which is masked out, would round otherwise */
    sum->low += FN(fl_opaque)(x);
#endif
}
