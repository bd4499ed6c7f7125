/* One floating-point type as the current precision: included once with FL_BITS 64 and once with 32.
 *
 * Code that includes this is written once and instantiated twice. It uses
 *
 *   REAL, INT        the scalar type and the signed integer of its width
 *   V, VI            vectors of them; in a scalar build plain REAL and INT
 *   LANES            how many
 *   FN(name)         name_f64 or name_f32
 *   R(x)             a constant of type REAL
 *
 * and the operators of C: V op V, V op REAL; comparisons give a VI mask (all ones or zero a lane)
 * that only `&`, `|`, vselect() and vany() may consume, so that the scalar build, where a comparison
 * gives 0 or 1, means the same.
 */
#undef REAL
#undef INT
#undef UINT
#undef V
#undef VI
#undef LANES
#undef FN
#undef R
#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#undef REAL_MAX
#undef REAL_TINY
#undef REAL_EPS

#define FL_CONCAT_(a, b) a##b
#define FL_CONCAT(a, b) FL_CONCAT_(a, b)

#if FL_BITS == 64
#define REAL double
#define INT int64_t
#define UINT uint64_t
#define FN(name) FL_CONCAT(name, _f64)
#define R(x) (x)
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define REAL_MAX 1.79769313486231570815e+308
#define REAL_TINY 2.22507385850720138309e-308
#define REAL_EPS 2.22044604925031308085e-16
#else
#define REAL float
#define INT int32_t
#define UINT uint32_t
#define FN(name) FL_CONCAT(name, _f32)
#define R(x) (x##f)
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define REAL_MAX 3.40282346638528859812e+38f
#define REAL_TINY 1.17549435082228750797e-38f
#define REAL_EPS 1.1920928955078125e-07f
#endif

#if defined(__clang__) && !FL_VECTOR_BYTES
/* `|` of two masks is `|` of two truths there */
#pragma clang diagnostic ignored "-Wbitwise-instead-of-logical"
#endif

#if FL_VECTOR_BYTES
#define LANES ((ptrdiff_t)(FL_VECTOR_BYTES / sizeof(REAL)))
typedef REAL FN(fl_v) __attribute__((vector_size(FL_VECTOR_BYTES), may_alias));
typedef INT FN(fl_vi) __attribute__((vector_size(FL_VECTOR_BYTES), may_alias));
/* the same vector at any address, for loads and stores */
typedef REAL FN(fl_v_unaligned)
    __attribute__((vector_size(FL_VECTOR_BYTES), may_alias, aligned(sizeof(REAL))));
#define V FN(fl_v)
#define VI FN(fl_vi)
#else
#define LANES ((ptrdiff_t)1)
typedef REAL FN(fl_v);
typedef INT FN(fl_vi);
#define V FN(fl_v)
#define VI FN(fl_vi)
#endif

#define vload FN(fl_load)
#define vstore FN(fl_store)
#define vload_partial FN(fl_load_partial)
#define vkeep_first FN(fl_keep_first)
#define vstore_partial FN(fl_store_partial)
#define vsplat FN(fl_splat)
#define vsplat_int FN(fl_splat_int)
#define vbits FN(fl_bits)
#define vfrom_bits FN(fl_from_bits)
#define vselect FN(fl_select)
#define vkeep FN(fl_keep)
#define vany FN(fl_any)
#define vall FN(fl_all)
#define vany_less FN(fl_any_less)
#define vany_at_most FN(fl_any_at_most)
#define vall_at_most FN(fl_all_at_most)
#define vabs FN(fl_abs)
#define vcopysign FN(fl_copysign)
#define vmin FN(fl_min)
#define vmax FN(fl_max)
#define vselect_negative FN(fl_select_negative)
#define vminus_abs FN(fl_minus_abs)
#define vround_shift FN(fl_round_shift)

FL_INLINE V vload(const REAL *p)
{
#if FL_VECTOR_BYTES
    return *(const FN(fl_v_unaligned) *)p;
#else
    return *p;
#endif
}

FL_INLINE void vstore(REAL *p, V x)
{
#if FL_VECTOR_BYTES
    *(FN(fl_v_unaligned) *)p = x;
#else
    *p = x;
#endif
}

FL_INLINE V vsplat(REAL x)
{
#if FL_VECTOR_BYTES
    return x - (V){0}; /* x - 0 keeps the sign of a zero; x + 0 would not */
#else
    return x;
#endif
}

FL_INLINE VI vsplat_int(INT x)
{
#if FL_VECTOR_BYTES
    return x - (VI){0};
#else
    return x;
#endif
}

/* The first n < LANES lanes from memory, the others from pad; and the first n lanes to memory. A masked
 * access where there is one: a vector that was pieced together in memory stalls the load that follows. */
FL_INLINE V vload_partial(const REAL *p, ptrdiff_t n, V pad)
{
#if FL_VECTOR_BYTES == 64 && FL_BITS == 64
    return (V)_mm512_mask_loadu_pd((__m512d)pad, (__mmask8)((1u << n) - 1), p);
#elif FL_VECTOR_BYTES == 64
    return (V)_mm512_mask_loadu_ps((__m512)pad, (__mmask16)((1u << n) - 1), p);
#else
    memcpy(&pad, p, (size_t)n * sizeof(REAL));
    return pad;
#endif
}

/* The first n lanes of x, 0 in the others. */
FL_INLINE V vkeep_first(ptrdiff_t n, V x)
{
#if FL_VECTOR_BYTES == 64 && FL_BITS == 64
    return (V)_mm512_maskz_mov_pd((__mmask8)((1u << n) - 1), (__m512d)x);
#elif FL_VECTOR_BYTES == 64
    return (V)_mm512_maskz_mov_ps((__mmask16)((1u << n) - 1), (__m512)x);
#else
    V kept = vsplat(R(0.0));
    memcpy(&kept, &x, (size_t)n * sizeof(REAL));
    return kept;
#endif
}

FL_INLINE void vstore_partial(REAL *p, ptrdiff_t n, V x)
{
#if FL_VECTOR_BYTES == 64 && FL_BITS == 64
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)x);
#elif FL_VECTOR_BYTES == 64
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
#else
    memcpy(p, &x, (size_t)n * sizeof(REAL));
#endif
}

/* the bits of a floating-point vector, and back */
FL_INLINE VI vbits(V x)
{
#if FL_VECTOR_BYTES
    return (VI)x;
#else
    VI i;
    memcpy(&i, &x, sizeof i);
    return i;
#endif
}

FL_INLINE V vfrom_bits(VI i)
{
#if FL_VECTOR_BYTES
    return (V)i;
#else
    V x;
    memcpy(&x, &i, sizeof x);
    return x;
#endif
}

/* mask ? a : b, lane by lane; both sides are computed. A sum, for of it GCC makes one blend, where it turns
 * `|` into two exclusive ors. */
FL_INLINE V vselect(VI mask, V a, V b)
{
#if FL_VECTOR_BYTES
    return (V)((mask & (VI)a) + (~mask & (VI)b));
#else
    return mask ? a : b;
#endif
}

/* mask ? x : 0 */
FL_INLINE V vkeep(VI mask, V x)
{
#if FL_VECTOR_BYTES
    return (V)(mask & (VI)x);
#else
    return mask ? x : R(0.0);
#endif
}

/* Whether any lane, or every lane, of a mask is set. Where there is no instruction for it, folded as 64-bit
 * words. */
FL_INLINE int vany(VI mask)
{
#if FL_VECTOR_BYTES == 64
    return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask) != 0;
#elif FL_VECTOR_BYTES == 32
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#elif FL_VECTOR_BYTES
    uint64_t words[FL_VECTOR_BYTES / 8], folded = 0;
    memcpy(words, &mask, sizeof words);
    for (int i = 0; i < FL_VECTOR_BYTES / 8; i++)
        folded |= words[i];
    return folded != 0;
#else
    return mask != 0;
#endif
}

FL_INLINE int vall(VI mask)
{
#if FL_VECTOR_BYTES
    return !vany(~mask);
#else
    return mask != 0;
#endif
}

/* Whether a < b, or a <= b, in any lane, and whether a <= b in every one: what a rare branch asks. With
 * AVX-512 of a comparison alone, for to hand a mask to vany() GCC may load a vector of ones under it: where no
 * lane is set, the page that holds them may never have been touched, and each such load takes as long as an
 * exception. */
#if FL_VECTOR_BYTES == 64
#undef FL_COMPARE
#if FL_BITS == 64
#define FL_COMPARE(a, b, relation) _mm512_cmp_pd_mask((__m512d)(a), (__m512d)(b), relation)
#else
#define FL_COMPARE(a, b, relation) _mm512_cmp_ps_mask((__m512)(a), (__m512)(b), relation)
#endif
#endif
FL_INLINE int vany_less(V a, V b)
{
#if FL_VECTOR_BYTES == 64
    return FL_COMPARE(a, b, _CMP_LT_OQ) != 0;
#else
    return vany(a < b);
#endif
}

FL_INLINE int vany_at_most(V a, V b)
{
#if FL_VECTOR_BYTES == 64
    return FL_COMPARE(a, b, _CMP_LE_OQ) != 0;
#else
    return vany(a <= b);
#endif
}

FL_INLINE int vall_at_most(V a, V b)
{
#if FL_VECTOR_BYTES == 64
    return FL_COMPARE(a, b, _CMP_NLE_UQ) == 0;
#else
    return vall(a <= b);
#endif
}

FL_INLINE V vabs(V x)
{
    return vfrom_bits(vbits(x) & (INT)(~(UINT)0 >> 1));
}

/* -|x| */
FL_INLINE V vminus_abs(V x)
{
    return vfrom_bits(vbits(x) | ~(INT)(~(UINT)0 >> 1));
}

/* the magnitude of x with the sign of s */
FL_INLINE V vcopysign(V x, V s)
{
    const INT magnitude = (INT)(~(UINT)0 >> 1);
    return vfrom_bits((vbits(x) & magnitude) | (vbits(s) & ~magnitude));
}

/* The smaller and the larger; b where either is NaN. x86 has just this as one instruction, which GCC
 * does not find in the selection. */
#if FL_VECTOR_BYTES && defined(__x86_64__)
#undef FL_MM
#if FL_VECTOR_BYTES == 64 && FL_BITS == 64
#define FL_MM(name) _mm512_##name##_pd
#elif FL_VECTOR_BYTES == 64
#define FL_MM(name) _mm512_##name##_ps
#elif FL_VECTOR_BYTES == 32 && FL_BITS == 64
#define FL_MM(name) _mm256_##name##_pd
#elif FL_VECTOR_BYTES == 32
#define FL_MM(name) _mm256_##name##_ps
#elif FL_BITS == 64
#define FL_MM(name) _mm_##name##_pd
#else
#define FL_MM(name) _mm_##name##_ps
#endif
#endif
FL_INLINE V vmin(V a, V b)
{
#if FL_VECTOR_BYTES && defined(__x86_64__)
    return (V)FL_MM(min)(a, b);
#else
    return vselect(a < b, a, b);
#endif
}

FL_INLINE V vmax(V a, V b)
{
#if FL_VECTOR_BYTES && defined(__x86_64__)
    return (V)FL_MM(max)(a, b);
#else
    return vselect(a > b, a, b);
#endif
}

#if FL_BITS == 32 && FL_VECTOR_BYTES
/* The lower and the upper half of a vector of float32 as float64. */
typedef float fl_half_f32 __attribute__((vector_size(FL_VECTOR_BYTES / 2), may_alias));

FL_INLINE fl_v_f64 vwiden_low(V x)
{
#if FL_VECTOR_BYTES == 64
    return (fl_v_f64)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)x));
#elif FL_VECTOR_BYTES == 32
    /* of the general form GCC makes four instructions */
    return (fl_v_f64)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x));
#else
    fl_half_f32 half;
    memcpy(&half, &x, sizeof half);
    return __builtin_convertvector(half, fl_v_f64);
#endif
}

FL_INLINE fl_v_f64 vwiden_high(V x)
{
#if FL_VECTOR_BYTES == 64
    return (fl_v_f64)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)x, 1));
#elif FL_VECTOR_BYTES == 32
    return (fl_v_f64)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1));
#else
    fl_half_f32 half;
    memcpy(&half, (const char *)&x + sizeof half, sizeof half);
    return __builtin_convertvector(half, fl_v_f64);
#endif
}
#endif

/* s negative (also -0 and -NaN) ? a : b. The sign bits select, without a comparison. */
FL_INLINE V vselect_negative(V s, V a, V b)
{
#if FL_VECTOR_BYTES == 64 && FL_BITS == 64
    return (V)_mm512_mask_blend_pd(_mm512_movepi64_mask((__m512i)s), (__m512d)b, (__m512d)a);
#elif FL_VECTOR_BYTES == 64
    return (V)_mm512_mask_blend_ps(_mm512_movepi32_mask((__m512i)s), (__m512)b, (__m512)a);
#elif FL_VECTOR_BYTES == 32
    return (V)FL_MM(blendv)(b, a, s);
#else
    return vselect(vbits(s) < 0, a, b);
#endif
}

/* 1.5 * 2^MANTISSA_BITS: adding it rounds |x| < 2^(MANTISSA_BITS-1) to the nearest integer, which
 * then stands in the low bits; subtracting it again gives that integer as a number. */
FL_INLINE V vround_shift(void)
{
    return vsplat((REAL)((INT)3 << (MANTISSA_BITS - 1)));
}
