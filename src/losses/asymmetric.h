/* Asymmetric loss of Ridnik et al. (2021) on a logit f, labels y in {0, 1}: with p = sigma(f)
 *     y = 1: cost_fn (1 - p)^gamma_pos (-log p),   y = 0: cost_fp x^gamma_neg (-log(1 - x)),
 * x = max(p - clip, 0). With z = -f for y = 1 and f for y = 0, P = sigma(z), Q = 1 - P, both are c x^gamma
 * l, l = -log(1 - x); x = P for y = 1. With e1 = P Q / x and e2 = P Q / (1 - x) = P Q / (Q + clip), which
 * for y = 1 are Q and P:
 *     gradient to z = c x^gamma (gamma e1 l + e2)
 *     Hessian       = c x^gamma (gamma^2 e1^2 l + 2 gamma e1 e2 + e2 Q
 *                                - gamma e1 l (P + e1 - Q) - e2 P clip / (Q + clip))
 * where e1 and e2 are the slopes of log x and l. Nothing of the first line is negative: that is hessian="bounded".
 * Nothing of the second is positive: x <= P, so e1 >= Q. It is what the concave log x and the clip bend.
 *
 * With t = e^-|z|, D = 1 + t, P = B / D, Q = A / D, where A and B are 1 and t, and E = A + clip D:
 *     x = N / D,  N = B (1 - clip) - A clip,   1 - x = E / D,   l = log(1 + N / E).
 * N cancels beside f0 = logit(clip), and is B (1 - clip) (1 - e^(f0 - f)) there. For gammas of 0, 1, ... 7
 * x is kept in a pair and multiplied; the derivative has x^(gamma - 1). For others the logarithm of each
 * factor is kept in a pair (unit_power.h); (1 - clip)^gamma is part of the cost. float32 is computed in
 * float64, without pairs, but for the logarithm where the gammas are such.
 * Worst error 5 ULP, of the Hessian 7.5 ULP of its largest term.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp (1 - clip)^gamma_neg, p[2] + p[3] = gamma_pos and p[4] +
 * p[5] = gamma_neg, the first a float32, p[6] = gamma_pos, p[7] = gamma_neg, p[8] + p[9] = logit(clip),
 * p[10] = 1 - clip, p[11] = clip, p[12] = cost_fp, p[13] = 1 for the exact Hessian, 0 for the bounded one.
 */
FL_INLINE int FN(asymmetric_is_plain)(const REAL *p)
{
    const double *exact = FL_EXACT(p);
    /* for float32 e^-300 stands for what is less: no cost may tell it from 0 */
    const int usual = FL_BITS == 64 || (exact[0] < 1e30 && exact[12] < 1e30);
    return exact[6] < 8.0 && exact[7] < 8.0 && exact[6] == (int)exact[6] &&
           exact[7] == (int)exact[7] &&
           (exact[11] == 0.0 || exact[11] > (FL_BITS == 64 ? 1e-290 : 1e-20)) && usual;
}

#if FL_BITS == 64
#include "vecmath/single.h"

/* gamma - 1, unless gamma is 0 */
FL_INLINE int FN(asymmetric_less)(REAL gamma)
{
    return (int)gamma - (gamma > 0.0);
}

/* What a sample has of its class; gamma - 1, unless gamma is 0, as bits that are 0 or 1 */
typedef struct {
    VI positive, whole; /* the class is 1, nothing is clipped */
    V cost, gamma, clip, kept, z, bit[3], some;
} FN(asymmetric_sample);

FL_INLINE FN(asymmetric_sample) FN(asymmetric_class)(V y, V f, const REAL *p)
{
    const int less_1 = FN(asymmetric_less)(p[6]), less_0 = FN(asymmetric_less)(p[7]);
    FN(asymmetric_sample) s;
    s.positive = y > R(0.0);
    s.cost = vselect(s.positive, vsplat(p[0]), vsplat(p[12]));
    s.gamma = vselect(s.positive, vsplat(p[6]), vsplat(p[7]));
    s.clip = vkeep(s.positive == 0, vsplat(p[11]));
    s.kept = vselect(s.positive, vsplat(R(1.0)), vsplat(p[10]));
    s.whole = s.clip == vsplat(R(0.0));
    s.z = vselect(s.positive, -f, f);
    for (int k = 0; k < 3; k++)
        s.bit[k] = vselect(s.positive, vsplat(less_1 >> k & 1), vsplat(less_0 >> k & 1));
    s.some = vselect(s.positive, vsplat(p[6] > 0.0), vsplat(p[7] > 0.0));
    return s;
}

/* N = returned + *low for |f - f0| < 2^-6, of the first product in its formula as a pair; *gap = f - f0 */
FL_INLINE V FN(asymmetric_near)(V f, const REAL *p, V first, V first_low, V *low, V *gap)
{
    /* (1 - g - e^-g) / g^2 */
    static const double c[] = {-1.0 / 2,   1.0 / 6,    -1.0 / 24,   1.0 / 120,
                               -1.0 / 720, 1.0 / 5040, -1.0 / 40320};
    V error;
    const V high = FN(fl_two_sum)(f, vsplat(-p[8]), &error), rest = error - p[9];
    const V g = high + rest, g_low = (high - g) + rest, square = FN(fl_opaque)(g * g);
    const V series = FN(fl_polynomial)(g, square, c, sizeof c / sizeof *c);
    const V factor_low = FN(fl_opaque)(square * series) + (g_low - g * g_low);
    const V product = FN(fl_product)(first, g, &error);
    *gap = g;
    *low = error + (first * factor_low + first_low * g);
    return product;
}

/* t, t / D, 1 / E, x in a pair, N, N / E, and not 0 where the sample is clipped */
typedef struct {
    V t, u, over_E, x, x_low, N, odds;
    VI clipped;
} FN(asymmetric_plain_kept);

FL_INLINE FN(asymmetric_plain_kept) FN(asymmetric_plain_first)(V y, V f, const REAL *p)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const FN(asymmetric_sample) s = FN(asymmetric_class)(y, f, p);
    const V kept_low = (one - s.kept) - s.clip, z = s.z;
    V t_low, error, B_error, A_error;
    const V t = FN(fl_exp_nonpositive_twofold)(vminus_abs(z), &t_low);
    const V A = vselect_negative(z, one, t), A_low = vselect_negative(z, zero, t_low);
    const V B = vselect_negative(z, t, one), B_low = vselect_negative(z, t_low, zero);
    /* N; where it is positive its first product is the larger */
    const V B_part = FN(fl_product)(B, s.kept, &B_error),
            A_part = FN(fl_product)(A, s.clip, &A_error);
    const V B_part_low = B_error + (B * kept_low + B_low * s.kept);
    V N_high = B_part - A_part;
    V N_rest = ((B_part - N_high) - A_part) + (B_part_low - (A_error + A_low * s.clip));
    V above = N_high; /* has the sign of x, for which N may be too small a number */
    /* rare */
    if (FL_UNLIKELY(vany_less(vabs(f - p[8]), vsplat(0x1p-6)))) {
        V near_low, gap;
        const V near_N = FN(asymmetric_near)(f, p, B_part, B_part_low, &near_low, &gap);
        const VI near = (vabs(f - p[8]) < 0x1p-6) & (s.whole == 0);
        N_high = vselect(near, near_N, N_high), N_rest = vselect(near, near_low, N_rest);
        above = vselect(near, gap, above);
    }
    const V N = N_high + N_rest, N_low = (N_high - N) + N_rest;
    const V D = one + t, D_low = ((one - D) + t) + t_low, inverse = one / D;
    const V E = FN(fl_opaque)(vselect(s.whole, one, A + s.clip * D)), over_E = one / E;
    /* x, in a pair */
    const V x = FN(fl_opaque)(N * inverse), back = FN(fl_product)(x, D, &error);
    const V x_low = FN(fl_opaque)((((N - back) - error) + (N_low - x * D_low)) * inverse);
    FN(asymmetric_plain_kept) k;
    k.t = t, k.over_E = over_E, k.x = x, k.x_low = x_low, k.N = N;
    k.u = FN(fl_opaque)(t - (t * FN(fl_opaque)(t * inverse) - t_low * (inverse * inverse)));
    k.odds = FN(fl_opaque)(N * over_E + N_low * over_E);
    k.clipped = above <= zero;
    return k;
}

FL_INLINE void FN(asymmetric_plain_rest)(V y, V f, FN(asymmetric_plain_kept) k, const REAL *p,
                                         V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const FN(asymmetric_sample) s = FN(asymmetric_class)(y, f, p);
    const V z = s.z, far = vmax(zero, z);
    /* the smaller and the larger of P and Q */
    const V u = k.u, v = FN(fl_opaque)(one - u);
    const V P = vselect_negative(z, u, v), Q = vselect_negative(z, v, u);
    const VI inside = k.clipped == 0;
    V error;
    V power_low, step = k.x, step_low = k.x_low;
    V power = k.x * s.bit[0] + (one - s.bit[0]);
    power_low = k.x_low * s.bit[0];
    /* what is asked is the same for all samples */
    const int exponents = FN(asymmetric_less)(p[6]) | FN(asymmetric_less)(p[7]);
    for (int n = 1; n < 3 && exponents >> n; n++) {
        const V square = FN(fl_product)(step, step, &error), twice = step + step;
        step_low = FN(fl_opaque)(error + twice * step_low);
        step = square;
        const V factor = FN(fl_opaque)(step * s.bit[n] + (one - s.bit[n]));
        const V product = FN(fl_product)(power, factor, &error);
        power_low = error + (power * (step_low * s.bit[n]) + power_low * factor);
        power = product;
    }
    const V less = FN(fl_opaque)(power + power_low);
    const V factor = FN(fl_opaque)(k.x * s.some + (one - s.some));
    const V product = FN(fl_product)(power, factor, &error);
    const V whole_power =
        FN(fl_opaque)(product + (error + (power * (k.x_low * s.some) + power_low * factor)));
    const V log_part = FN(fl_log1p_nonnegative)(vselect(s.whole, k.t, k.odds));
    const V l_full = vkeep(s.whole, far) + log_part;
    const V l = vkeep(s.whole, vmin(vsplat(1e20), far)) + log_part;
    const V PQ = FN(fl_opaque)(u * v);
    const V share = FN(fl_opaque)(vselect_negative(z, k.t, one) * k.over_E);
    const V e2 = FN(fl_opaque)(vselect(s.whole, P, share * Q));
    const V signed_cost = vselect(s.positive, -s.cost, s.cost);
    *loss = vkeep(inside, s.cost * (whole_power * l_full));
    *gradient = vkeep(inside, signed_cost * (s.gamma * (less * FN(fl_opaque)(PQ * l)) +
                                             FN(fl_opaque)(whole_power * e2)));
    const V scale = FN(fl_opaque)(s.cost * whole_power);
    /* nothing depends on it where gamma is 0, and beside the clip it may be infinite times the cost */
    const V e1 = FN(fl_opaque)(vselect(s.whole, Q, u * s.some / vmax(vsplat(REAL_TINY), k.N)));
    const V first = FN(fl_opaque)(s.gamma * (e1 * l)), steep = FN(fl_opaque)(scale * e1);
    /* terms of both signs in gamma e1 l joined; switched by products, for SSE2 has no registers left for a mask */
    const V tilt = FN(fl_opaque)(p[13] * scale * vselect_negative(z, u - v, v - u));
    const V bend = FN(fl_opaque)((s.gamma - p[13]) * steep - tilt);
    const V rise = FN(fl_opaque)(s.gamma * (steep + steep)),
            drop = vkeep(s.whole == 0, p[13] * s.clip * share);
    *hessian = vkeep(inside, (first * bend + rise * e2) + (scale * e2) * (Q - drop));
}

FL_INLINE void FN(asymmetric)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    (void)t;
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
    const FN(fl_logistic_terms) k = FN(fl_logistic_of)(z);
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
    V product_low;
    const V product = FN(fl_product)(a, factor, &product_low);
    product_low = product_low + (a * fine + a_low * factor);
    const V part = FN(fl_opaque)(product * inverse);
    const V back = FN(fl_product)(part, sum, &error);
    const V part_low =
        FN(fl_opaque)((((product - back) - error) + (product_low - part * sum_low)) * inverse);
    const V x = FN(fl_opaque)(unclipped * part + unclipped * part_low);
    const V log_factor = FN(fl_log_pair)(factor, &log_low);
    /* -log(P factor) and its power */
    const V s = FN(fl_softplus_twofold)(-z, k, &s_low);
    const V minus_log = FN(fl_two_sum)(s, -log_factor, &error);
    const V minus_log_low = (error + s_low) - (log_low - vkeep(flat == 0, factor_low / factor));
    const V power = FN(fl_exp_minus_product)(gamma_high, gamma_low, minus_log, minus_log_low);
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
    const V scale = FN(fl_opaque)(cost * power);
    const V first = FN(fl_opaque)(gamma * (e1 * l));
    const V steep = FN(fl_opaque)(scale * e1);
    const VI exact = vsplat(p[13]) == one;
    const V bend = vkeep(exact, scale * sigma + vkeep(whole == 0, steep - scale * rest));
    *loss = vkeep(clipped == 0, scale * vselect(cost > zero, l_full, l));
    *gradient = vkeep(clipped == 0, sign * (scale * (first + e2)));
    *hessian =
        vkeep(clipped == 0, (first * (gamma * steep) + gamma * (steep + steep) * e2) +
                                (scale * e2) * (rest - vkeep(exact & (whole == 0), clip * share)) -
                                first * bend);
}

/* The same without pairs */
typedef struct {
    V t, over_D, over_E, x, odds;
} FN(asymmetric_wide_terms);

FL_INLINE FN(asymmetric_wide_terms) FN(asymmetric_wide_of)(V y, V f, const REAL *p)
{
    const V one = vsplat(1.0);
    const FN(asymmetric_sample) s = FN(asymmetric_class)(y, f, p);
    const V z = s.z;
    const V t = vexp_nonpositive(vminus_abs(z)), D = one + t;
    const V A = vselect_negative(z, one, t), B = vselect_negative(z, t, one);
    const V first_part = FN(fl_opaque)(B * s.kept);
    const V gap = (f - p[8]) - p[9], gap2 = gap * gap;
    const V series = gap * ((one - 0.5 * gap) + gap2 * (1.0 / 6 - gap * (1.0 / 24)));
    const VI near = (vabs(gap) < 0x1p-10) & (s.whole == 0);
    const V N =
        vselect(near, FN(fl_opaque)(first_part * series), FN(fl_opaque)(first_part - A * s.clip));
    const V E = FN(fl_opaque)(vselect(s.whole, one, A + s.clip * D)), inverse = one / (D * E);
    const V over_D = FN(fl_opaque)(inverse * E), over_E = FN(fl_opaque)(inverse * D);
    FN(asymmetric_wide_terms) k;
    k.t = t, k.over_D = over_D, k.over_E = over_E;
    k.x = FN(fl_opaque)(N * over_D), k.odds = FN(fl_opaque)(N * over_E);
    return k;
}

FL_INLINE void FN(asymmetric_of_float)(V y, V f, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(0.0), one = vsplat(1.0);
    const FN(asymmetric_sample) s = FN(asymmetric_class)(y, f, p);
    const FN(asymmetric_wide_terms) k = FN(asymmetric_wide_of)(y, f, p);
    const V z = s.z, far = vmax(zero, z);
    const V A = vselect_negative(z, one, k.t), B = vselect_negative(z, k.t, one);
    const V P = FN(fl_opaque)(B * k.over_D);
    const V Q = FN(fl_opaque)(A * k.over_D), PQ = FN(fl_opaque)(P * Q);
    const V log_part = FN(fl_single_log1p)(vselect(s.whole, k.t, k.odds));
    const V l_full = vkeep(s.whole, far) + log_part;
    const V l = vkeep(s.whole, vmin(vsplat(1e40), far)) + log_part;
    const V e2 = FN(fl_opaque)(P * vselect(s.whole, one, FN(fl_opaque)(A * k.over_E)));
    const V e1 = FN(fl_opaque)(vselect(s.whole, Q, PQ / k.x));
    const V log_P = -(FN(fl_wide_log1p_unit)(k.t) + vkeep(z < zero, vmin(vsplat(1e40), -z)));
    const V power = FN(fl_wide_exp)(s.gamma * vselect(s.whole, log_P, FN(fl_wide_log)(k.x)));
    const V falling = FN(fl_opaque)(power * e1);
    const VI clipped = k.x <= zero;
    const V signed_cost = vselect(s.positive, -s.cost, s.cost);
    *loss = vkeep(clipped == 0, s.cost * (power * l_full));
    *gradient =
        vkeep(clipped == 0, signed_cost * (s.gamma * (falling * l) + FN(fl_opaque)(power * e2)));
    const V scale = FN(fl_opaque)(s.cost * power), share = FN(fl_opaque)(B * k.over_E);
    const V first = FN(fl_opaque)(s.gamma * (e1 * l)), steep = FN(fl_opaque)(scale * e1);
    const VI exact = vsplat(p[13]) == one;
    const V bend = vkeep(exact, scale * P + vkeep(s.whole == 0, steep - scale * Q));
    *hessian =
        vkeep(clipped == 0, (first * (s.gamma * steep) + s.gamma * (steep + steep) * e2) +
                                (scale * e2) * (Q - vkeep(exact & (s.whole == 0), s.clip * share)) -
                                first * bend);
}

/* For float32 and the gammas of asymmetric_is_plain(): x, N / E, and P Q with the sign of the gradient */
typedef struct {
    V x, odds, PQ;
} FN(asymmetric_parts);

/* For other = 1 - y and z = -f where y = 1, else f, within 300 of 0. With K = e^-z: D = 1 + K, P = 1 / D,
 * E = K + clip D, and N = (1 - clip) (1 - e^(f0 - z)), or 1 where nothing is clipped. That e^r - 1 has the relative
 * error of e^r, so N does not cancel. As 1 / (1 - x) = 1 + N / E, the gradient is c x^(gamma - 1) P Q
 * (gamma l + N / E). */
FL_INLINE FN(asymmetric_parts) FN(asymmetric_parts_of)(V other, V z, const REAL *p)
{
    /* (e^r - 1 - r) / r^2 for |r| <= ln2/2, as in fl_single_exp() */
    static const double c[] = {0.500000001346581,  0.16666666681623232,   0.041666464925285904,
                               0.0083333109254809, 0.0013933649996309251, 0.00019890990824673654};
    const int clips = p[11] > 0.0;
    const V one = vsplat(1.0), shift = vround_shift() + (REAL)EXPONENT_BIAS;
    const V exponent = other * p[8] - z, shifted = exponent * LOG2_E + shift;
    const V r = (exponent - (shifted - shift) * 0x1.62e42fefa39efp-1) + other * p[9];
    const V r2 = r * r, beside = r + r2 * FN(fl_polynomial)(r, r2, c, sizeof c / sizeof *c);
    const V power = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
    const V kept = vsplat(clips ? p[10] : 0.0), least = one - (clips ? other : vsplat(0.0));
    const V N = vmax(least, FN(fl_opaque)(kept * ((one - power) - power * beside)));
    const V K = FN(fl_opaque)((power + power * beside) *
                              (one + other * (clips ? p[10] / p[11] - 1.0 : 0.0)));
    const V D = one + K, E = K + FN(fl_opaque)(other * p[11]) * D;
    FN(asymmetric_parts) k;
#if FL_VECTOR_BYTES == 64
    /* a division of such vectors takes longer than the products that save it */
    const V inverse = one / (D * E), P = FN(fl_opaque)(inverse * E);
    k.odds = FN(fl_opaque)(N * FN(fl_opaque)(inverse * D));
#else
    const V P = one / D;
    k.odds = N / E;
#endif
    k.x = FN(fl_opaque)(N * P);
    k.PQ = FN(fl_opaque)(FN(fl_opaque)(K * P) * FN(fl_opaque)(P * ((other + other) - one)));
    return k;
}

/* The results for two vectors, given l as a float32; `count` of them are wanted. What is asked is the same for all
 * samples. */
FL_INLINE void FN(asymmetric_of_parts)(const V log_part[2], const FN(asymmetric_parts) k[2],
                                       const REAL *p, int count, V loss[2], V gradient[2],
                                       V hessian[2])
{
    const int gamma_1 = (int)p[6], gamma_0 = (int)p[7];
    const int n_1 = gamma_1 - (gamma_1 > 0), n_0 = gamma_0 - (gamma_0 > 0);
    const V zero = vsplat(0.0), one = vsplat(1.0);
    const VI exact = vsplat(p[13]) == one;
    V factor[2], less_1[2], less_0[2], l[2], rising[2], less[2], scale[2];
    for (int i = 0; i < count; i++) {
        factor[i] = k[i].x, less_1[i] = vsplat(p[0]), less_0[i] = vsplat(p[12]);
        l[i] = log_part[i], rising[i] = k[i].odds;
    }
    for (int bit = 1; bit < 8; bit += bit) {
        if (n_1 & bit)
            for (int i = 0; i < count; i++)
                less_1[i] = less_1[i] * factor[i];
        if (n_0 & bit)
            for (int i = 0; i < count; i++)
                less_0[i] = less_0[i] * factor[i];
        for (int i = 0; i < count; i++)
            factor[i] = factor[i] * factor[i];
    }
    for (int i = 0; i < count; i++) {
        less[i] = FN(fl_opaque)(vselect_negative(k[i].PQ, less_1[i], less_0[i]));
        scale[i] = FN(fl_opaque)(less[i] * k[i].x);
    }
    /* where N / E is tiny the float32 has few bits; with these exponents not even the Hessian has a factor x^2
     * or more beside it, which would be 0 then */
    if (gamma_1 == 0 || gamma_0 <= 2)
        for (int i = 0; i < count; i++) {
            const V gamma = vselect_negative(k[i].PQ, vsplat(p[6]), vsplat(p[7]));
            const VI flat = gamma == zero;
            l[i] = vselect(k[i].odds < 0x1p-100, k[i].odds, l[i]);
            scale[i] = vselect(flat, less[i], scale[i]);
            rising[i] = vselect(flat, vkeep(k[i].x > zero, one + k[i].odds), rising[i]);
        }
    for (int i = 0; i < count; i++) {
        const V gamma = vselect_negative(k[i].PQ, vsplat(p[6]), vsplat(p[7]));
        /* where l is larger its factor is below e^-300; NaN stays */
        const V bounded = vmin(vsplat(1e40), l[i]);
        const V falling = FN(fl_opaque)(less[i] * k[i].PQ), PQ = vabs(k[i].PQ);
        const V clip = vselect_negative(k[i].PQ, zero, vsplat(p[11]));
        const V P = k[i].x + clip, Q = PQ / P, over = one + k[i].odds;
        const V tilt = (gamma - p[13]) * FN(fl_opaque)(PQ / k[i].x) - vkeep(exact, P - Q);
        const V e2 = FN(fl_opaque)(PQ * over);
        const V bend = FN(fl_opaque)(gamma * (tilt * bounded + (e2 + e2)));
        loss[i] = scale[i] * l[i];
        gradient[i] = falling * (gamma * bounded + rising[i]);
        hessian[i] =
            vkeep((k[i].x <= zero) == 0, /* NaN stays */
                  vabs(falling) *
                      (bend + rising[i] * (Q - vkeep(exact, clip) * FN(fl_opaque)(P * over))));
    }
}
#else
FL_FROM_WIDE(asymmetric, asymmetric_of_float)

typedef struct {
    asymmetric_parts_f64 half[2];
} FN(asymmetric_plain_kept);

FL_INLINE FN(asymmetric_plain_kept) FN(asymmetric_plain_first)(V y, V f, const REAL *p)
{
    /* what is below e^-300 is 0 as a float32, and powers and products of these are finite as float64; NaN stays */
    const V other = R(1.0) - y, signed_f = (other - y) * f;
    const V z = vmin(vsplat(R(300.0)), vmax(vsplat(R(-300.0)), signed_f));
    FN(asymmetric_plain_kept) k;
#if FL_VECTOR_BYTES
    k.half[0] = asymmetric_parts_of_f64(vwiden_low(other), vwiden_low(z), FL_EXACT(p));
    k.half[1] = asymmetric_parts_of_f64(vwiden_high(other), vwiden_high(z), FL_EXACT(p));
#else
    k.half[0] = k.half[1] = asymmetric_parts_of_f64(other, z, FL_EXACT(p));
#endif
    return k;
}

FL_INLINE void FN(asymmetric_plain_rest)(V y, V f, FN(asymmetric_plain_kept) k, const REAL *p,
                                         V *loss, V *gradient, V *hessian)
{
#if FL_VECTOR_BYTES
    const V odds = vnarrow(k.half[0].odds, k.half[1].odds);
#else
    const V odds = (REAL)k.half[0].odds;
#endif
    /* what is smaller is its logarithm, too, and has a square that may be subnormal, which is slow */
    const V log_part =
        FN(fl_log1p_nonnegative)(vmin(vsplat(R(0x1p100)), vmax(vsplat(R(0x1p-50)), odds)));
    /* z is l where N / E is larger */
    const V z = (R(1.0) - (y + y)) * f;
    const V l = vmax(p[11] > R(0.0) ? vkeep(y > R(0.0), z) : z, vmin(log_part, odds));
    fl_v_f64 value[2], slope[2], bend[2];
#if FL_VECTOR_BYTES
    const fl_v_f64 wide[2] = {vwiden_low(l), vwiden_high(l)};
    asymmetric_of_parts_f64(wide, k.half, FL_EXACT(p), 2, value, slope, bend);
    *loss = vnarrow(value[0], value[1]);
    *gradient = vnarrow(slope[0], slope[1]);
    *hessian = vnarrow(bend[0], bend[1]);
#else
    const double wide[2] = {l, l};
    asymmetric_of_parts_f64(wide, k.half, FL_EXACT(p), 1, value, slope, bend);
    *loss = (REAL)value[0], *gradient = (REAL)slope[0], *hessian = (REAL)bend[0];
#endif
}
#endif
FL_OF_STAGES(asymmetric_plain)
#define FL_KEPT FN(asymmetric_plain_kept)
