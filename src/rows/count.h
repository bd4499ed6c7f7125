/* Counting lanes of masks without an `&`: in the low bits of vround_shift(), which a count starts from and which is
 * subtracted from it at the end. */
#undef FL_MOST_COUNTED
#define FL_MOST_COUNTED ((int64_t)1 << (MANTISSA_BITS - 2))

FL_INLINE V FN(fl_count_one)(V count, VI mask)
{
#if FL_VECTOR_BYTES == 64
    return vselect(mask, vfrom_bits(vbits(count) + 1), count); /* one addition under a mask */
#elif FL_VECTOR_BYTES
    return vfrom_bits(vbits(count) - mask);
#else
    return vfrom_bits(vbits(count) + mask);
#endif
}

/* where a > b */
FL_INLINE V FN(fl_count_above)(V count, V a, V b)
{
#if FL_VECTOR_BYTES == 64 && FL_BITS == 64
    return (V)_mm512_mask_sub_epi64((__m512i)count, FL_COMPARE(a, b, _CMP_GT_OQ), (__m512i)count,
                                    _mm512_set1_epi64(-1));
#elif FL_VECTOR_BYTES == 64
    return (V)_mm512_mask_sub_epi32((__m512i)count, FL_COMPARE(a, b, _CMP_GT_OQ), (__m512i)count,
                                    _mm512_set1_epi32(-1));
#else
    return FN(fl_count_one)(count, a > b);
#endif
}
