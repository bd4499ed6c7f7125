/* Generalised cross-entropy: c (1 - p_t^q) / q with p_t = sigma(m), m = (2y - 1) f, labels y in {0, 1}, 0
 * < q <= 1; c is cost_fn for y = 1 and cost_fp for y = 0. With z = -m, P = sigma(z) and S = softplus(z)
 * = -log p_t:
 *     loss = -c expm1(-q S) / q,  gradient to z = c e^{-q S} P,  Hessian = c e^{-q S} P (1 - P - q P)
 * The Hessian is negative where p_t < q / (1 + q); its error is in ULP of its larger term. hessian="bounded" is
 * c e^{-q S} P (1 - P) alone: the loss is a concave function of S, log loss, with slope c e^{-q S}, and below its
 * tangent, this slope times log loss.
 *
 * S = max(z, 0) + l with t = e^-|z|, l = log(1 + t). What counts is the absolute error of q S: the product q
 * max(z, 0) is in a pair, and q l, at most 0.7, joins when the multiple of ln 2 is taken off. What remains
 * gives e^{-q S} and expm1(-q S) by one polynomial.
 * l takes the series of log1p_of.h, for u = t / (1 + t) is there. u, 1 - u and l are kept in pairs, of which only
 * what is added last is rounded. Worst error 5 ULP.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp, p[2] = cost_fn / q, p[3] = cost_fp / q, p[5] = q less its
 * float32, p[6] = q; p[7] = p[6] and p[8] = p[5], or both 0 for the bounded Hessian.
 */
#include "vecmath/log1p_of.h"

/* l and P in pairs, and 1 - P */
typedef struct {
    V l, l_low, sigma, sigma_low, rest;
} FN(generalized_cross_entropy_kept);

/* -0 where y = 1, else 0 */
FL_INLINE V FN(generalized_cross_entropy_sign)(V y)
{
    return vkeep(y > R(0.0), vsplat(R(-0.0)));
}

FL_INLINE FN(generalized_cross_entropy_kept)
    FN(generalized_cross_entropy_first)(V y, V f, const REAL *p)
{
    const V one = vsplat(R(1.0)), z = vflip(f, FN(generalized_cross_entropy_sign)(y));
    const V t = FN(fl_opaque)(vexp_nonpositive(vminus_abs(f)));
    const V u_less = FN(fl_opaque)(t * (t / (one + t)));
    const V u = t - u_less, u_low = (t - u) - u_less, v = one - u, v_low = ((one - v) - u) - u_low;
    const V tu = FN(fl_opaque)(t * u), l_less = FN(fl_opaque)(tu * FN(fl_log1p_bend)(t, tu));
    FN(generalized_cross_entropy_kept) k;
    (void)p;
    k.l = t - l_less, k.l_low = (t - k.l) - l_less;
    k.sigma = vselect_negative(z, u, v), k.sigma_low = vselect_negative(z, u_low, v_low);
    k.rest = vselect_negative(z, v, u);
    return k;
}

FL_INLINE void FN(generalized_cross_entropy_rest)(V y, V f, FN(generalized_cross_entropy_kept) k,
                                                  const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), most = vsplat(-EXP_LOWEST / p[6]);
    const VI positive = y > zero;
    const V minus = FN(generalized_cross_entropy_sign)(y), z = vflip(f, minus);
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V cost_q = vselect(positive, vsplat(-p[2]), vsplat(-p[3]));
    V error;
    /* beyond `most` the power is 0; NaN stays */
    const V ahead = vmin(most, vmax(zero, z)), s = ahead + k.l;
    const V product = FN(fl_product)(ahead, vsplat(p[6]), &error);
#if FL_BITS == 32
    error = error + s * p[5];
#endif
    /* -q S = r + r_low - n ln2 */
    const V exponent = product + k.l * p[6];
    const V shift = vround_shift() + (REAL)(EXPONENT_BIAS + EXP_HEADROOM);
    const V shifted = shift - exponent * LOG2_E, n = shift - shifted;
    const V whole = n * LN2_HI - product, lost = (n * LN2_HI - whole) - product;
#if FL_HAS_FMA
    const V part = k.l * p[6];
#else
    V part_low;
    const V part = FN(fl_product)(k.l, vsplat(p[6]), &part_low);
    error = error + part_low;
#endif
    const V fine = FN(fl_opaque)(((error - lost) + k.l_low * p[6]) - n * LN2_LO);
    const V base = whole - fine;
    const V r_low = (whole - base) - fine, r = FN(fl_opaque)(base - part);
    /* e^-qS = scale (1 + r + tail) */
    const V r2 = FN(fl_opaque)(r * r), tail = FN(fl_opaque)(r2 * FN(fl_exp_tail)(r, r2) + r_low);
    const V scale = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS) * EXP_BACK;
    const V power = (k.sigma + (k.sigma * (r + tail) + k.sigma_low)) * scale;
    V slope_low;
    const V slope = FN(fl_product)(cost, FN(fl_opaque)(power), &slope_low);
#if FL_BITS == 32
    /* what the cost was rounded by */
    const double *exact = FL_EXACT(p);
    const V cost_low = vselect(positive, vsplat((REAL)(exact[0] - (double)p[0])),
                               vsplat((REAL)(exact[1] - (double)p[1])));
    slope_low = FN(fl_opaque)(slope_low + cost_low * power);
    *gradient = vflip(slope + slope_low, minus);
#else
    *gradient = vflip(slope, minus);
#endif
    /* scale - 1 and r have different signs */
    const V factor = FN(fl_opaque)(scale * cost_q),
            most_of_it = FN(fl_opaque)((scale - one) * cost_q);
    const V high = factor * r + most_of_it, less = factor * r + (most_of_it - high);
    const V fall = high + (factor * tail + less);
    /* q S may be too small for a normal number where S is not */
    *loss = vselect(exponent < REAL_EPS / 4, cost * s, fall);
    /* of 1 - P, by Fast2Sum */
    const V larger = vmax(k.sigma, k.rest), smaller = vmin(k.sigma, k.rest);
    V more = p[7] * k.sigma_low - (((one - larger) - smaller) - k.sigma_low);
#if FL_BITS == 32
    more = more + p[8] * k.sigma;
#endif
    const V bend = FN(fl_opaque)((k.rest - more) - p[7] * k.sigma);
    *hessian = slope * bend + slope_low * bend;
}
FL_OF_STAGES(generalized_cross_entropy)
#define FL_KEPT FN(generalized_cross_entropy_kept)
