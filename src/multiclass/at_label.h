/* What belongs to the label among the outputs of LANES samples.
 *
 * Included once per precision, after vecmath.h.
 */

/* label == k ? a : b */
FL_INLINE V FN(fl_at_label)(VI label, INT k, V a, V b)
{
#if FL_VECTOR_BYTES == 64 && FL_BITS == 64
    const __mmask8 is = _mm512_cmpeq_epi64_mask((__m512i)label, _mm512_set1_epi64(k));
    return (V)_mm512_mask_mov_pd((__m512d)b, is, (__m512d)a);
#elif FL_VECTOR_BYTES == 64
    const __mmask16 is = _mm512_cmpeq_epi32_mask((__m512i)label, _mm512_set1_epi32(k));
    return (V)_mm512_mask_mov_ps((__m512)b, is, (__m512)a);
#else
    return vselect(label == k, a, b);
#endif
}
