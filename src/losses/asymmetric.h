/* Asymmetric loss of Ridnik et al. (2021) on a logit f, labels y in {0, 1}: with p = sigma(f)
 *     y = 1: cost_fn (1 - p)^gamma_pos (-log p),   y = 0: cost_fp x^gamma_neg (-log(1 - x)),
 * x = max(p - clip, 0). With z = -f for y = 1 and f for y = 0, P = sigma(z), Q = 1 - P, both are c x^gamma
 * l, l = -log(1 - x); x = P for y = 1.
 *
 * p - clip does not cancel: with f0 = logit(clip) it is p (1 - clip) (1 - e^(f0 - f)). The logarithm of
 * each factor is kept in a pair (unit_power.h); (1 - clip)^gamma is part of the cost. For gammas of 0, 1,
 * ... 7 the product itself is kept so instead, and is multiplied. float32 is computed in float64, without
 * pairs. With e1 = P Q / x = Q / ((1 - clip) (1 - e^(f0 - f))) and e2 = P Q / (1 - x) = P Q / (Q + clip),
 * which for y = 1 are Q and P:
 *     gradient to z = c x^gamma (gamma e1 l + e2)
 *     Hessian       = c x^gamma (gamma^2 e1^2 l + 2 gamma e1 e2 + e2 Q
 *                                - gamma e1 l (P + e1 - Q) - e2 P clip / (Q + clip))
 * Worst error 5 ULP, of the Hessian 7.5 ULP of its largest term.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp (1 - clip)^gamma_neg, p[2] + p[3] = gamma_pos and p[4] +
 * p[5] = gamma_neg, the first a float32, p[6] = gamma_pos, p[7] = gamma_neg, p[8] + p[9] = logit(clip),
 * p[10] = 1 - clip, p[11] = clip, p[12] = 1 / (1 - clip).
 */
FL_INLINE int FN(asymmetric_is_plain)(const REAL *p)
{
    const double *exact = FL_EXACT(p);
    return exact[6] < 8.0 && exact[7] < 8.0 && exact[6] == (int)exact[6] &&
           exact[7] == (int)exact[7];
}

#if FL_BITS == 64
#include "vecmath/single.h"

/* Whether the gamma of a sample's class has a bit */
FL_INLINE VI FN(asymmetric_bit)(VI positive, const REAL *p, int bit)
{
    const V of_both =
        vselect(positive, vfrom_bits(FN(fl_bit)(p[6], bit)), vfrom_bits(FN(fl_bit)(p[7], bit)));
    return vbits(of_both);
}

/* `plain` is a constant: whether asymmetric_is_plain(). */
FL_INLINE void FN(asymmetric_in_pairs)(V y, V f, const REAL *p, int plain, V *loss, V *gradient,
                                       V *hessian)
{
    const V sign = R(1.0) - (y + y), zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const VI positive = y > zero;
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V gamma_high = vselect(positive, vsplat(p[2]), vsplat(p[4]));
    const V gamma_low = vselect(positive, vsplat(p[3]), vsplat(p[5]));
    const V gamma = vselect(positive, vsplat(p[6]), vsplat(p[7]));
    const V clip = vselect(positive, zero, vsplat(p[11]));
    const V unclipped = vselect(positive, one, vsplat(p[10]));
    const VI whole = clip == zero;
    const V full = sign * f, z = FN(fl_bounded_logit)(full);
    FN(fl_logistic_terms) k;
    if (plain) {
        k.t = FN(fl_exp_nonpositive_twofold)(vminus_abs(z), &k.t_low);
        k.u = k.t - k.t * (k.t / (one + k.t));
        k.v = one - k.u;
        k.log_high = vlog1p_unit(k.t);
    } else {
        k = FN(fl_logistic_of)(z);
    }
    const V sigma = vselect_negative(z, k.u, k.v), rest = vselect_negative(z, k.v, k.u);
    /* the factor 1 - e^(f0 - f) */
    V error, factor_low, log_low, s_low;
    const V gap = FN(fl_two_sum)(FN(fl_bounded_logit)(f), vsplat(-p[8]), &error);
    const V gap_low = error - p[9];
    const VI clipped = (gap + gap_low <= zero) & (whole == 0);
    const V minus = FN(fl_expm1_twofold)(-gap, -gap_low, &factor_low);
    /* 1 also where nothing depends on it: powers of a tiny number would be subnormal, and slow */
    const VI flat = whole | clipped;
    const V factor = vselect(flat, one, vmax(vsplat(REAL_TINY), -minus));
    /* P factor = a factor / (1 + t), a = 1 or t */
    const V sum = one + k.t, sum_low = ((one - sum) + k.t) + k.t_low, inverse = one / sum;
    const V a = vselect_negative(z, k.t, one), a_low = vselect_negative(z, k.t_low, zero);
    const V fine = vkeep((flat == 0) & (factor > REAL_TINY), -factor_low);
    V product_low, power, power_low;
    const V product = FN(fl_product)(a, factor, &product_low);
    product_low = product_low + (a * fine + a_low * factor);
    const V part = FN(fl_opaque)(product * inverse);
    const V back = FN(fl_product)(part, sum, &error);
    const V part_low =
        FN(fl_opaque)((((product - back) - error) + (product_low - part * sum_low)) * inverse);
    const V x = FN(fl_opaque)(unclipped * part + unclipped * part_low);
    if (plain) {
        const VI bit[3] = {FN(asymmetric_bit)(positive, p, 1), FN(asymmetric_bit)(positive, p, 2),
                           FN(asymmetric_bit)(positive, p, 4)};
        power = FN(fl_power_by_bits)(part, part_low, bit, &power_low);
    } else {
        const V log_factor = FN(fl_log_pair)(factor, &log_low);
        /* -log(P factor) and its power */
        const V s = FN(fl_softplus_twofold)(-z, k, &s_low);
        const V minus_log = FN(fl_two_sum)(s, -log_factor, &error);
        const V minus_log_low = (error + s_low) - (log_low - vkeep(flat == 0, factor_low / factor));
        power = FN(fl_exp_minus_product)(gamma_high, gamma_low, minus_log, minus_log_low);
        power_low = zero;
    }
    /* l = -log(1 - x) */
    const V complement = rest + clip;
    /* 1 - x, with its error where x is small */
    const VI small = x <= R(0.5);
    const V minus_x = vkeep(small, -x), base = vselect(small, one - x, complement);
    V exponent;
    const V m = FN(fl_log_reduce)(base, &exponent);
    const V twice = vselect(exponent < zero, one + one, one); /* where 1 - x is below sqrt(1/2) */
    const V mantissa = vselect(small, minus_x * twice + (twice - one), m - one);
    const V log_clipped =
        vselect(base <= one, FN(fl_log_sum)(exponent, mantissa), base); /* NaN stays */
    const V l = vselect(whole, vmax(zero, z) + k.log_high, -log_clipped);
    const V l_full = vselect(whole, vmax(zero, full) + k.log_high, -log_clipped);
    const V e1 = vselect(whole, rest, (rest / unclipped) / factor);
    const V share = sigma / complement;
    const V e2 = vselect(whole, sigma, share * rest);
    const V scale = FN(fl_opaque)(plain ? cost * power + cost * power_low : cost * power);
    const V first = FN(fl_opaque)(gamma * (e1 * l));
    const V steep = FN(fl_opaque)(scale * e1);
    const V bend = scale * sigma + vkeep(whole == 0, steep - scale * rest);
    *loss = vkeep(clipped == 0, scale * vselect(cost > zero, l_full, l));
    *gradient = vkeep(clipped == 0, sign * (scale * (first + e2)));
    *hessian = vkeep(clipped == 0, (first * (gamma * steep) + gamma * (steep + steep) * e2) +
                                       (scale * e2) * (rest - vkeep(whole == 0, clip * share)) -
                                       first * bend);
}

FL_INLINE void FN(asymmetric)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    (void)t;
    FN(asymmetric_in_pairs)(y, f, p, 0, loss, gradient, hessian);
}

FL_INLINE void FN(asymmetric_plain)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    (void)t;
    FN(asymmetric_in_pairs)(y, f, p, 1, loss, gradient, hessian);
}

/* The same without pairs. With D = 1 + t, P = B / D, Q = A / D and E = A + clip D, x is P less the clip, or
 * beside the clip a series of f - f0, and 1 - x = E / D. */
FL_INLINE void FN(asymmetric_wide)(V y, V f, const REAL *p, int plain, V *loss, V *gradient,
                                   V *hessian)
{
    const V sign = 1.0 - (y + y), zero = vsplat(0.0), one = vsplat(1.0);
    const VI positive = y > zero;
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V gamma = vselect(positive, vsplat(p[6]), vsplat(p[7]));
    const V clip = vselect(positive, zero, vsplat(p[11]));
    const VI whole = clip == zero;
    const V z = sign * f, size = vabs(f), bounded = vmin(vsplat(1e40), size); /* NaN stays */
    const V t = vexp_nonpositive(-size), D = one + t, over = FN(fl_opaque)(one / D);
    const V A = vselect_negative(z, one, t), B = vselect_negative(z, t, one);
    const V P = FN(fl_opaque)(B * over), Q = FN(fl_opaque)(A * over);
    const V clip_D = FN(fl_opaque)(clip * D), E = A + clip_D;
    /* x = P (1 - clip) factor */
    const V gap = (f - p[8]) - p[9];
    const VI clipped = (gap <= zero) & (whole == 0);
    const VI near = (vabs(gap) < 0x1p-10) & (whole == 0);
    const V gap2 = gap * gap;
    const V series = gap * ((one - 0.5 * gap) + gap2 * (1.0 / 6 - gap * (1.0 / 24)));
    const V unclipped = vselect(positive, one, vsplat(p[10]));
    const V relative = FN(fl_opaque)(
        vselect(near, P * series, ((B - clip_D) * over) * vselect(positive, one, vsplat(p[12]))));
    const V x = FN(fl_opaque)(relative * unclipped);
    /* log(1 + t), or -log(1 - x) = log(1 + x / (1 - x)) */
    const V over_E = FN(fl_opaque)(one / vselect(whole, one, E));
    const V log_part = FN(fl_single_log1p)(vselect(whole, t, FN(fl_opaque)(x * D) * over_E));
    const V far = vkeep((z < zero) == 0, bounded), full = vkeep((z < zero) == 0, size);
    const V l = vkeep(whole, far) + log_part, l_full = vkeep(whole, full) + log_part;
    const V e1 = vselect(whole, Q, (P * Q) / x);
    const V share = FN(fl_opaque)(B * over_E); /* P / (1 - x), if not whole */
    const V e2 = FN(fl_opaque)(vselect(whole, P, share * Q));
    V power;
    if (plain) {
        /* the power of 1 - clip is part of the cost */
        const VI bit[3] = {FN(asymmetric_bit)(positive, p, 1), FN(asymmetric_bit)(positive, p, 2),
                           FN(asymmetric_bit)(positive, p, 4)};
        power = FN(fl_wide_power)(relative, bit);
    } else {
        const V log_P = -(FN(fl_wide_log1p_unit)(t) + vkeep(z < zero, bounded));
        const V log_x = vselect(whole, log_P, FN(fl_wide_log)(relative));
        power = FN(fl_wide_exp)(gamma * log_x);
    }
    const V scale = FN(fl_opaque)(cost * power), first = FN(fl_opaque)(gamma * (e1 * l));
    const V steep = FN(fl_opaque)(scale * e1);
    const V bend = scale * P + vkeep(whole == 0, steep - scale * Q);
    *loss = vkeep(clipped == 0, scale * vselect(cost > zero, l_full, l));
    *gradient = vkeep(clipped == 0, sign * (scale * (first + e2)));
    *hessian = vkeep(clipped == 0, (first * (gamma * steep) + gamma * (steep + steep) * e2) +
                                       (scale * e2) * (Q - vkeep(whole == 0, clip * share)) -
                                       first * bend);
}

FL_INLINE void FN(asymmetric_of_float)(V y, V f, const REAL *p, V *loss, V *gradient, V *hessian)
{
    FN(asymmetric_wide)(y, f, p, 0, loss, gradient, hessian);
}

FL_INLINE void FN(asymmetric_plain_of_float)(V y, V f, const REAL *p, V *loss, V *gradient,
                                             V *hessian)
{
    FN(asymmetric_wide)(y, f, p, 1, loss, gradient, hessian);
}
#else
FL_FROM_WIDE(asymmetric, asymmetric_of_float)
FL_FROM_WIDE(asymmetric_plain, asymmetric_plain_of_float)
#endif
