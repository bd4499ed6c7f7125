/* Generalised cross-entropy: c (1 - p_t^q) / q with p_t = sigma(m), m = (2y - 1) f, labels y in {0, 1}, 0
 * < q <= 1; c is cost_fn for y = 1 and cost_fp for y = 0. With z = -m, P = sigma(z) and S = softplus(z)
 * = -log p_t:
 *     loss = -c expm1(-q S) / q,  gradient to z = c e^{-q S} P,  Hessian = c e^{-q S} P (1 - P - q P)
 * The Hessian is negative where p_t < q / (1 + q); its error is in ULP of its larger term. S and q are in
 * pairs (unit_power.h). float32 is computed in float64, without pairs. Worst error 4 ULP.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp, p[2] = cost_fn / q, p[3] = cost_fp / q, p[4] + p[5] = q,
 * p[4] a float32, p[6] = q.
 */
#if FL_BITS == 64
#include "vecmath/single.h"

FL_INLINE void FN(generalized_cross_entropy)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                             V *hessian)
{
    const V sign = R(1.0) - (y + y), zero = vsplat(R(0.0));
    const VI positive = y > zero;
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V cost_q = vselect(positive, vsplat(p[2]), vsplat(p[3]));
    const V z = FN(fl_bounded_logit)(sign * f);
    const FN(fl_logistic_terms) terms = FN(fl_logistic_of)(z);
    const V sigma = vselect_negative(z, terms.u, terms.v);
    const V rest = vselect_negative(z, terms.v, terms.u);
    V s_low, error;
    const V s = FN(fl_softplus_twofold)(z, terms, &s_low);
    const V product = FN(fl_product)(s, FN(fl_opaque)(vsplat(p[4])), &error);
    const V product_low = error + (s_low * p[4] + s * p[5]);
    const V power = FN(fl_exp_of_sum)(-product, -product_low);
    const V slope = FN(fl_opaque)(cost * (power * sigma));
    (void)t;
    /* q S may be too small for a normal number where S is not */
    *loss = vselect(product < REAL_EPS / 4, cost * s, -cost_q * vexpm1(-(product + product_low)));
    *gradient = sign * slope;
    *hessian = slope * (rest - p[6] * sigma);
}

FL_INLINE void FN(generalized_cross_entropy_of_float)(V y, V f, const REAL *p, V *loss, V *gradient,
                                                      V *hessian)
{
    const V sign = 1.0 - (y + y), zero = vsplat(0.0), one = vsplat(1.0);
    const VI positive = y > zero;
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V cost_q = vselect(positive, vsplat(p[2]), vsplat(p[3]));
    const V z = sign * f, t = FN(fl_single_exp)(vminus_abs(z)), v = FN(fl_opaque)(one / (one + t));
    const V u = FN(fl_opaque)(t * v);
    const V sigma = vselect_negative(z, u, v), rest = vselect_negative(z, v, u);
    const V s = vmax(zero, z) + FN(fl_single_log1p_unit)(t), x = FN(fl_opaque)(s * -p[6]);
    const V power = FN(fl_single_exp)(x), slope = FN(fl_opaque)(cost * (power * sigma));
    /* q S may be too small for a normal number where S is not */
    *loss = vselect(x > -REAL_EPS, cost * s, -cost_q * FN(fl_wide_expm1)(x, power));
    *gradient = sign * slope;
    *hessian = slope * (rest - p[6] * sigma);
}
#else
FL_FROM_WIDE(generalized_cross_entropy, generalized_cross_entropy_of_float)
#endif
