/* Asymmetric loss of Ridnik et al. (2021) on a logit f, labels y in {0, 1}: with p = sigma(f)
 *     y = 1: cost_fn (1 - p)^gamma_pos (-log p),   y = 0: cost_fp x^gamma_neg (-log(1 - x)),
 * x = max(p - clip, 0). With z = -f for y = 1 and f for y = 0, P = sigma(z), Q = 1 - P, both are c x^gamma
 * l, l = -log(1 - x); x = P for y = 1.
 *
 * p - clip does not cancel: with f0 = logit(clip) it is p (1 - clip) (1 - e^(f0 - f)). The logarithm of
 * each factor is kept in a pair (unit_power.h); (1 - clip)^gamma is part of the cost. With e1 = P Q / x =
 * Q / ((1 - clip) (1 - e^(f0 - f))) and e2 = P Q / (1 - x) = P Q / (Q + clip), which for y = 1 are Q and P:
 *     gradient to z = c x^gamma (gamma e1 l + e2)
 *     Hessian       = c x^gamma (gamma^2 e1^2 l + 2 gamma e1 e2 + e2 Q
 *                                - gamma e1 l (P + e1 - Q) - e2 P clip / (Q + clip))
 * Worst error 4 ULP, of the Hessian 6 ULP of its largest term.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp (1 - clip)^gamma_neg, p[2] + p[3] = gamma_pos and p[4] +
 * p[5] = gamma_neg, the first a float32, p[6] = gamma_pos, p[7] = gamma_neg, p[8] + p[9] = logit(clip) in
 * float64, p[8] + p[10] in float32, p[11] = 1 - clip, p[12] = clip.
 */
FL_INLINE void FN(asymmetric)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V sign = R(1.0) - (y + y), zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const VI positive = y > zero;
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V gamma_high = vselect(positive, vsplat(p[2]), vsplat(p[4]));
    const V gamma_low = vselect(positive, vsplat(p[3]), vsplat(p[5]));
    const V gamma = vselect(positive, vsplat(p[6]), vsplat(p[7]));
    const V clip = vselect(positive, zero, vsplat(p[12]));
    const V unclipped = vselect(positive, one, vsplat(p[11]));
    const VI plain = clip == zero;
    const V full = sign * f, z = FN(fl_bounded_logit)(full);
    const FN(fl_logistic_terms) k = FN(fl_logistic_of)(z);
    const V sigma = vselect_negative(z, k.u, k.v), rest = vselect_negative(z, k.v, k.u);
    /* the factor 1 - e^(f0 - f) */
    V error, factor_low, log_low, s_low;
    const V gap = FN(fl_add_exactly)(FN(fl_bounded_logit)(f), vsplat(-p[8]), &error);
    const V gap_low = error - (FL_BITS == 64 ? p[9] : p[10]);
    const VI clipped = (gap + gap_low <= zero) & (plain == 0);
    const V minus = FN(fl_expm1_twofold)(-gap, -gap_low, &factor_low);
    const V factor = vselect(plain, one, vmax(vsplat(REAL_TINY), -minus));
    const V log_factor = FN(fl_log_pair)(factor, &log_low);
    /* -log(P factor) and its power */
    const V s = FN(fl_softplus_twofold)(-z, k, &s_low);
    const V minus_log = FN(fl_add_exactly)(s, -log_factor, &error);
    const V minus_log_low = (error + s_low) - (log_low - vkeep(plain == 0, factor_low / factor));
    const V power = FN(fl_exp_minus_product)(gamma_high, gamma_low, minus_log, minus_log_low);
    /* l = -log(1 - x) */
    const V x = (sigma * unclipped) * factor, complement = rest + clip;
    const V log_clipped = vselect(x <= R(0.5), vlog1p(-x), vlog(complement));
    const V l = vselect(plain, vmax(zero, z) + k.log_high, -log_clipped);
    const V l_full = vselect(plain, vmax(zero, full) + k.log_high, -log_clipped);
    const V e1 = vselect(plain, rest, (rest / unclipped) / factor);
    const V share = sigma / complement;
    const V e2 = vselect(plain, sigma, share * rest);
    const V scale = FN(fl_opaque)(cost * power), first = FN(fl_opaque)(gamma * (e1 * l));
    const V steep = FN(fl_opaque)(scale * e1);
    const V bend = scale * sigma + vkeep(plain == 0, steep - scale * rest);
    (void)t;
    *loss = vkeep(clipped == 0, scale * vselect(cost > zero, l_full, l));
    *gradient = vkeep(clipped == 0, sign * (scale * (first + e2)));
    *hessian = vkeep(clipped == 0, (first * (gamma * steep) + gamma * (steep + steep) * e2) +
                                       (scale * e2) * (rest - vkeep(plain == 0, clip * share)) -
                                       first * bend);
}
