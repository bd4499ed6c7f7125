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

/* S in a pair, P and 1 - P */
typedef struct {
    V s, s_low, sigma, rest;
} FN(generalized_cross_entropy_kept);

FL_INLINE FN(generalized_cross_entropy_kept)
    FN(generalized_cross_entropy_first)(V y, V f, const REAL *p)
{
    const V z = FN(fl_bounded_logit)(vselect(y > R(0.0), -f, f));
    FN(generalized_cross_entropy_kept) k;
    FN(fl_logistic_terms) terms;
    (void)p;
#if FL_LOOKUP
    /* the logarithm to an absolute 2^-56 only: q is at most 1 */
    static const double c[] = {-0.49999999999999317, 0.33333333333349657,  -0.25000000006853029,
                               0.19999999907586824,  -0.16666645885095827, 0.14285865362372258,
                               -0.12524599052398974, 0.11043621097304011};
    const V one = vsplat(R(1.0));
    terms.t = FN(fl_exp_nonpositive_twofold)(vminus_abs(z), &terms.t_low);
    terms.u = terms.t - terms.t * (terms.t / (one + terms.t));
    terms.v = FN(fl_opaque)(one - terms.u);
    V log_part;
    const V u = FN(fl_log1p_unit_split)(terms.t, &log_part), u2 = FN(fl_opaque)(u * u);
    const V tail = FN(fl_opaque)(u2 * FN(fl_polynomial)(u, u2, c, sizeof c / sizeof *c));
    const V sum = log_part + u, lost = (log_part - sum) + u;
    const V low = lost + (tail + terms.t_low * terms.v);
    terms.log_high = sum + low;
    terms.log_low = (sum - terms.log_high) + low;
#else
    terms = FN(fl_logistic_of)(z);
#endif
    k.sigma = FN(fl_opaque)(vselect_negative(z, terms.u, terms.v));
    k.rest = FN(fl_opaque)(vselect_negative(z, terms.v, terms.u));
    k.s = FN(fl_softplus_twofold)(z, terms, &k.s_low);
    return k;
}

FL_INLINE void FN(generalized_cross_entropy_rest)(V y, V f, FN(generalized_cross_entropy_kept) k,
                                                  const REAL *p, V *loss, V *gradient, V *hessian)
{
    const VI positive = y > R(0.0);
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V cost_q = vselect(positive, vsplat(p[2]), vsplat(p[3]));
    V error;
    const V product = FN(fl_product)(k.s, FN(fl_opaque)(vsplat(p[4])), &error);
    const V product_low = FN(fl_opaque)(error + (k.s_low * p[4] + k.s * p[5]));
    const VI finite = product < -EXP_LOWEST;
    const V power = FN(fl_exp_headroom_of_sum)(-product, vkeep(finite, -product_low)) * EXP_BACK;
    const V slope = FN(fl_opaque)(cost * (FN(fl_opaque)(power) * k.sigma));
    (void)f;
    /* q S may be too small for a normal number where S is not */
    *loss = vselect(product < REAL_EPS / 4, cost * k.s, -cost_q * vexpm1(-(product + product_low)));
    *gradient = vselect(positive, -slope, slope);
    *hessian = slope * (k.rest - p[6] * k.sigma);
}

/* The same without pairs */
typedef struct {
    V s, sigma, rest;
} FN(generalized_cross_entropy_wide_kept);

FL_INLINE FN(generalized_cross_entropy_wide_kept)
    FN(generalized_cross_entropy_wide_first)(V y, V f, const REAL *p)
{
    const V z = vselect(y > 0.0, -f, f), one = vsplat(1.0), t = FN(fl_single_exp)(vminus_abs(z));
    const V v = FN(fl_opaque)(one / (one + t)), u = FN(fl_opaque)(t * v);
    FN(generalized_cross_entropy_wide_kept) k;
    (void)p;
    k.sigma = vselect_negative(z, u, v);
    k.rest = vselect_negative(z, v, u);
    k.s = vmax(vsplat(0.0), z) + FN(fl_single_log1p_unit)(t);
    return k;
}

FL_INLINE void FN(generalized_cross_entropy_wide_rest)(V y, V f,
                                                       FN(generalized_cross_entropy_wide_kept) k,
                                                       const REAL *p, V *loss, V *gradient,
                                                       V *hessian)
{
    const VI positive = y > 0.0;
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V cost_q = vselect(positive, vsplat(p[2]), vsplat(p[3]));
    const V x = FN(fl_opaque)(k.s * -p[6]), power = FN(fl_single_exp)(x);
    const V slope = FN(fl_opaque)(cost * (power * k.sigma));
    (void)f;
    /* q S may be too small for a normal number where S is not */
    *loss = vselect(x > -REAL_EPS, cost * k.s, -cost_q * FN(fl_wide_expm1)(x, power));
    *gradient = vselect(positive, -slope, slope);
    *hessian = slope * (k.rest - p[6] * k.sigma);
}
#else
FL_STAGED_FROM_WIDE(generalized_cross_entropy, generalized_cross_entropy_wide)
#endif
FL_OF_STAGES(generalized_cross_entropy)
#define FL_KEPT FN(generalized_cross_entropy_kept)
