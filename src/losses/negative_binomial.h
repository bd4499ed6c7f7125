/* Negative binomial loss with log link: (y + 1/theta) log(1 + theta e^f) - y f, the negative
 * log-likelihood without terms in y and theta alone (NB2: variance mu + theta mu^2); y >= 0.
 * gradient (e^f - y) / (1 + theta e^f), Hessian (y + 1/theta) u / (1 + u)^2 with u = theta e^f.
 *
 * With g = f + log theta, in a pair of numbers, and t = e^-|g|, l = log1p(t), c = 1/theta, q = t / (1 + t):
 *     g < 0:  loss = c l + y (l - f),            gradient = (c t - y) (1 - q)
 *     g >= 0: loss = c (g + l) + y (l + log theta), gradient = (c - y t) (1 - q)
 *     Hessian = (y + c) (u - u^2), u = sigma(-|g|) = t - t q, so that q's own error counts less
 * Where a number is so large or so small that t, or a product of these, may not be a normal number, products with
 * t are made before its exponent is applied. Worst error 4 ULP, of the larger term where two cancel. Parameters:
 * p[0] = log theta, its rest p[1] in float64, p[2] in float32; p[3] to p[5] = 1/theta likewise.
 */
#include "vecmath/log1p_of.h"

/* for any numbers */
FL_INLINE void FN(negative_binomial_far)(V y, V f, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V one = vsplat(R(1.0)), c = vsplat(p[3]);
    V g_lo, n;
    const V g = FN(fl_two_sum)(f, vsplat(p[0]), &g_lo);
    g_lo = vkeep(vabs(g) <= REAL_MAX, g_lo + p[FL_BITS == 64 ? 1 : 2]);
    const V e = FN(fl_exp_parts)(vminus_abs(g), vselect_negative(g, g_lo, -g_lo), &n);
#if FL_VECTOR_BYTES == 64
    /* instructions that apply 2^n and round once */
    const V half = R(0.5) * e;
    n = n + one;
    const V c_t = (V)FL_MM(scalef)(c * half, n), y_t = (V)FL_MM(scalef)(y * half, n);
    const V u = (V)FL_MM(scalef)((y + c) * half, n);
    const V t = (V)FL_MM(scalef)(half, n);
#else
    const V most = vsplat((REAL)(2 * EXPONENT_BIAS - 4));
    /* 2^n in two factors, the smaller first; what is below any exponent goes into that, too */
    const V bounded = vmax(-most, n);
    const VU i = FN(fl_ubits)(bounded + (vround_shift() + (REAL)(2 * EXPONENT_BIAS)));
    const V first = FN(fl_from_ubits)((i >> 1) << MANTISSA_BITS) *
                    FN(fl_power_of_two)(vmax(vsplat((REAL)(1 - EXPONENT_BIAS)), n - bounded));
    const V second = FN(fl_from_ubits)((i - (i >> 1)) << MANTISSA_BITS);
    const V c_t = FN(fl_opaque)((first * c) * e * second);
    const V y_t = FN(fl_opaque)((first * y) * e * second);
    const V u = FN(fl_opaque)((first * (y + c)) * e * second);
    const V t = FN(fl_opaque)(first * e * second);
#endif

    const V l = vlog1p_unit(t), d = one + t, d_lo = (one - d) + t;
    const V of_c = vselect(t < REAL_EPS * REAL_EPS, c_t, l * c);
    /* made smaller where a term may overflow and the sum not */
    const VI large = f > one;
    const V unit = vselect(large, vsplat(R(0x1p-8)), one);
    const V A = vselect_negative(g, of_c * unit, (g * unit + (l + g_lo) * unit) * c);
    const V slope = l + vselect_negative(g, -f, vsplat(p[0]));
    const V B = vkeep(y > R(0.0), FN(fl_opaque)((y * unit) * slope));
    *loss = vselect(A > REAL_MAX, A, A + B) * vselect(large, vsplat(R(256.0)), one);
    *gradient = (vselect_negative(g, c_t, c) - vselect_negative(g, y, y_t)) / d;
    *hessian = u / (d * d + FN(fl_opaque)((d + d) * d_lo));
}

/* g in a pair, and t */
typedef struct {
    V g, g_lo, t;
} FN(negative_binomial_kept);

#undef NEGATIVE_BINOMIAL_MOST
#define NEGATIVE_BINOMIAL_MOST ((REAL)(FL_BITS == 64 ? 690 : 69))

/* Beyond that |g| it is not used, and may be any number. */
FL_INLINE FN(negative_binomial_kept) FN(negative_binomial_first)(V y, V f, const REAL *p)
{
    const V shift = vround_shift() + (REAL)EXPONENT_BIAS;
    FN(negative_binomial_kept) k;
    (void)y;
    k.g = FN(fl_two_sum)(f, vsplat(p[0]), &k.g_lo);
    k.g_lo = k.g_lo + p[FL_BITS == 64 ? 1 : 2];
    const V x = vminus_abs(k.g), shifted = x * LOG2_E + shift, n = shifted - shift;
    const V a = x - n * LN2_HI, low = FN(fl_opaque)(n * LN2_LO) + vflip(k.g_lo, k.g);
    const V r = a - low, r_lo = (a - r) - low, r2 = r * r, one = vsplat(R(1.0));
    const V sum = one + r, lost = (one - sum) + r;
    const V power = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
    k.t = FN(fl_opaque)((sum + (lost + (r2 * FN(fl_exp_tail)(r, r2) + r_lo))) * power);
    return k;
}

FL_INLINE void FN(negative_binomial_rest)(V y, V f, FN(negative_binomial_kept) k, const REAL *p,
                                          V *loss, V *gradient, V *hessian)
{
    const V one = vsplat(R(1.0)), c = vsplat(p[3]), g = k.g, t = k.t;
    const V largest = vsplat((REAL)(FL_BITS == 64 ? 0x1p900 : 0x1p100));
    const V c_low = vsplat(p[FL_BITS == 64 ? 4 : 5]);
    const V q = FN(fl_opaque)(t / (one + t)), u = t - t * q;
    /* hidden: a product that stands elsewhere, too, would not be fused with u's difference */
    const V l = FN(fl_log1p_of)(t, FN(fl_opaque)(q));
    const V slope = l + vselect_negative(g, -f, vsplat(p[0]));
    const V of_c = vselect_negative(g, l, g + (l + k.g_lo));
    *loss = of_c * c + (of_c * c_low + FN(fl_opaque)(y * slope));
    /* c t - y or c - y t, divided by 1 + t */
    const V of_t = vselect_negative(g, c, -y), of_one = vselect_negative(g, -y, c);
    const V residual = FN(fl_opaque)(of_t * t + of_one);
    *gradient = residual - residual * q;
    /* with what u was rounded by */
    const V spread = FN(fl_opaque)(u + (((t - u) - t * q) - u * u));
    *hessian = spread * (y + c) + FN(fl_opaque)(spread * c_low);
    if (FL_UNLIKELY(!(vall_at_most(vabs(g), vsplat(NEGATIVE_BINOMIAL_MOST)) &&
                      vall_at_most(vmax(c, y), largest)))) {
        /* NaN is far, too */
        const VI near = (vabs(g) <= NEGATIVE_BINOMIAL_MOST) & (vmax(c, y) <= largest);
        V far_loss, far_gradient, far_hessian;
        FN(negative_binomial_far)(y, f, p, &far_loss, &far_gradient, &far_hessian);
        *loss = vselect(near, *loss, far_loss);
        *gradient = vselect(near, *gradient, far_gradient);
        *hessian = vselect(near, *hessian, far_hessian);
    }
}

FL_OF_STAGES(negative_binomial)
#define FL_KEPT FN(negative_binomial_kept)
