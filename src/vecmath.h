/* Elementary functions on vectors, branch-free, written once for both precisions.
 *
 * Included after real.h, once with FL_BITS 64 and once with 32; the instances are named fl_exp_f64,
 * fl_exp_f32 and so on, and are spelled vexp, vlog, ... here and by users. Each element's result
 * depends on that element alone.
 *
 * Every function states the worst error that was found, in ULP of the exact result, and where.
 * float32: exp, expm1, log, log1p and expit over all 2^32 inputs, the others over 7 10^7 and more
 * spread over all of them. float64, and pow: 10^6 to 10^8 random and special inputs. Results of 53
 * bits were the measure for float32, of 113 bits for float64. "Unfused" is plain x86-64, which does
 * not round a b + c once. NaN propagates, signed zeros and subnormal numbers are right, unless a
 * function says otherwise.
 *
 * Polynomials are minimax fits by the Remez exchange in 60-digit arithmetic, weighted so that the
 * error is relative to the function's result; the leading coefficients are rounded first and the
 * others fitted again around them.
 *
 * Contraction is on, so a product may or may not be rounded before it is added. The error-free sums
 * below therefore only add products that are exact (by a power of two, or by a constant with enough
 * trailing zeros), and error-free products go through fl_product().
 */
#include <math.h>

#undef VU
#undef LN2_HI
#undef LN2_LO
#undef LOG2_E
#undef FL_LOOKUP

#if FL_VECTOR_BYTES
typedef UINT FN(fl_vu) __attribute__((vector_size(FL_VECTOR_BYTES), may_alias));
#else
typedef UINT FN(fl_vu);
#endif
#define VU FN(fl_vu)

/* ln 2 = LN2_HI + LN2_LO, where n LN2_HI is exact for every |n| < 2^13 (2^11 in float32). */
#if FL_BITS == 64
#define LN2_HI 0x1.62e42fefa2p-1
#define LN2_LO 0x1.9ef35793c7673p-41
#define LOG2_E 0x1.71547652b82fep+0
#else
#define LN2_HI 0x1.62ep-1f
#define LN2_LO 0x1.0bfbe8p-15f
#define LOG2_E 0x1.715476p+0f
#endif

FL_INLINE VU FN(fl_ubits)(V x)
{
    return (VU)vbits(x);
}

FL_INLINE V FN(fl_from_ubits)(VU u)
{
    return vfrom_bits((VI)u);
}

/* c[0] + c[1] x + ... + c[n-1] x^(n-1) with x2 = x^2, in pairs: half the latency of Horner's rule.
 * n is a constant wherever this is called, the loop disappears. */
FL_INLINE V FN(fl_polynomial)(V x, V x2, const REAL *c, int n)
{
    int i = (n - 1) & ~1;
    V p = vsplat(c[i]);
    if (i + 1 < n)
        p = p + c[i + 1] * x;
    while ((i -= 2) >= 0)
        p = (c[i] + c[i + 1] * x) + p * x2;
    return p;
}

/* Where one instruction picks from sixteen numbers in registers, tables shorten the two longest
 * polynomials of the logistic losses: with AVX-512. Narrower registers hold too few numbers. */
#if FL_VECTOR_BYTES == 64
#define FL_LOOKUP 1
/* table[i mod 16] */
FL_INLINE V FN(fl_lookup)(const REAL *table, VU i)
{
#if FL_BITS == 64
    return (V)_mm512_permutex2var_pd((__m512d)vload(table), (__m512i)i, (__m512d)vload(table + 8));
#else
    return (V)_mm512_permutexvar_ps((__m512i)i, (__m512)vload(table));
#endif
}
#else
#define FL_LOOKUP 0
#endif

/* table[i], i >= 0 */
FL_INLINE V FN(fl_gather)(const REAL *table, VI i)
{
#if FL_VECTOR_BYTES == 64 && FL_BITS == 64
    return (V)_mm512_i64gather_pd((__m512i)i, table, 8);
#elif FL_VECTOR_BYTES == 64
    return (V)_mm512_i32gather_ps((__m512i)i, table, 4);
#elif FL_VECTOR_BYTES
    V x;
    for (ptrdiff_t l = 0; l < LANES; l++)
        x[l] = table[i[l]];
    return x;
#else
    return table[i];
#endif
}

#include "vecmath/exp.h"
#include "vecmath/log.h"
#include "vecmath/logistic.h"
#include "vecmath/pair.h"
#include "vecmath/power.h"
#include "vecmath/residual.h"
#include "vecmath/unit_power.h"
#include "vecmath/normal.h"
#include "vecmath/links.h"
