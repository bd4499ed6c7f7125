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
