/* Focal loss on a logit f, labels y in [0, 1]: w (1 - p_t)^gamma C with C = cost_fn y softplus(-f) +
 * cost_fp (1 - y) softplus(f), p_t = y p + (1 - y) (1 - p), p = sigma(f), and w = alpha y + (1 - alpha)
 * (1 - y), or 1.
 *
 * In terms of |f|: t = e^-|f|, u = sigma(-|f|), v = 1 - u; c and d are the weights of the part that |f|
 * makes large and of the other, g and h the same for y alone: g = (f >= 0 ? 1 - y : y), h = 1 - g.
 * Then s = 1 - p_t = g v + h u = (g + h t) / (1 + t), r = s'/s = (g - h) u v / s, and
 *     loss     = w s^gamma C,                    C  = c |f| + (c + d) log1p(t)
 *     gradient = +-w s^gamma (C' + gamma C r),   C' = c v - d u
 *     Hessian  = w s^gamma ((c + d) u v + 2 gamma C' r + gamma^2 C r^2 - gamma C r (r - u + v))
 * For hard labels r is u or -v, r (r - u + v) = u v, and log s is -log1p(t) less nothing or |f|; log s is
 * kept in a pair (unit_power.h), since gamma log s is an exponent; for gamma = 1, 2, ... 7 instead s is, and
 * is multiplied; then what only soft labels need is computed where a vector has one, and the cost of a hard one stands
 * in w. hessian="bounded" drops the last term, the only negative one of hard labels, and C' r where
 * it is negative. float32 is computed in float64, without pairs.
 *
 * Worst error 4.5 ULP, of the Hessian 6; of the largest term where terms of both signs are added: in the Hessian, and the
 * gradient of soft labels.
 * Parameters: p[0], p[1] = the costs of hard labels with alpha: alpha cost_fn, (1 - alpha) cost_fp;
 * p[2] = cost_fn, p[3] = cost_fp, w = p[4] + p[5] y = p[11] - p[5] (1 - y), p[6] + p[7] = gamma, p[6] a float32, p[8] = gamma,
 * p[9] = 1 and p[10] = -infinity for the exact Hessian, 0 and 0 for the bounded one.
 */
FL_INLINE int FN(focal_is_plain)(const REAL *p)
{
    const double gamma = FL_EXACT(p)[8];
    return gamma == 1.0 || gamma == 2.0 || gamma == 3.0 || gamma == 4.0 || gamma == 5.0 ||
           gamma == 6.0 || gamma == 7.0;
}

#if FL_BITS == 64
#include "vecmath/log1p_of.h"
#include "vecmath/single.h"

/* w, from the nearer end: nothing cancels */
FL_INLINE V FN(focal_weight)(V y, V y_other, const REAL *p)
{
    return vselect(y > 0.5, p[11] - p[5] * y_other, p[4] + p[5] * y);
}

FL_INLINE void FN(focal)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    (void)t;
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), gamma = vsplat(p[8]);
    const V y_other = one - y, y_other_low = (one - y_other) - y;
    const VI hard = (y == zero) | (y == one);
    const V weight = vselect(hard, one, FN(focal_weight)(y, y_other, p));
    const V a = y * vselect(hard, vsplat(p[0]), vsplat(p[2]));
    const V b = y_other * vselect(hard, vsplat(p[1]), vsplat(p[3]));
    const V c = vselect_negative(f, a, b), d = vselect_negative(f, b, a);
    const V g = vselect_negative(f, y, y_other), h = vselect_negative(f, y_other, y);
    /* g - h, exact where it is small */
    const V tilt = vselect_negative(f, (y + y) - one, one - (y + y));
    const V g_low = vselect_negative(f, zero, y_other_low);
    const V h_low = vselect_negative(f, y_other_low, zero);
    const V size = vabs(f), bounded = vabs(FN(fl_bounded_logit)(f));
    const VI alone = g == zero; /* g + h t = t */
    V error, sum_low, log_low;
    const FN(fl_logistic_terms) k = FN(fl_logistic_of)(f);
    /* log s = log(g + h t) - log(1 + t) */
    const V ht = FN(fl_product)(h, k.t, &error);
    const V ht_low = error + (h * k.t_low + h_low * k.t);
    const V sum = FN(fl_two_sum)(g, ht, &sum_low);
    const V log_sum = FN(fl_log_pair)(sum, &log_low);
    const V correction = ((sum_low + g_low) + ht_low) / sum;
    const V minus_log = FN(fl_two_sum)(k.log_high, vselect(alone, bounded, -log_sum), &error);
    const V minus_log_low = (error + k.log_low) - vkeep(alone == 0, log_low + correction);
    const V power = FN(fl_exp_minus_product)(FN(fl_opaque)(vsplat(p[6])), vsplat(p[7]), minus_log,
                                             minus_log_low);
    /* r, and r (r - u + v) */
    const V uv = FN(fl_opaque)(k.u * k.v);
    const V ratio = (tilt * uv) / (g * k.v + h * k.u);
    const V r = vselect(hard, vselect(alone, -k.v, k.u), ratio);
    const V bend = vselect(hard, uv, r * (r - (k.u - k.v)));
    const V total = c + d, slope = FN(fl_opaque)(c * k.v) - FN(fl_opaque)(d * k.u);
    const V scale = FN(fl_opaque)(weight * power);
    /* a zero weight drops its term: 0 * inf would be NaN */
    const V log_part = FN(fl_opaque)(total * k.log_high);
    const V value = vkeep(c > zero, c * bounded) + log_part;
    const V gamma_value = FN(fl_opaque)(gamma * value);
    const V value_r = FN(fl_opaque)(gamma_value * r);
    const V steep = vmax(vsplat(p[10]), slope * r), first = FN(fl_opaque)(slope + value_r);
    *loss = scale * FN(fl_opaque)(vkeep(c > zero, c * size) + log_part);
    *gradient = vcopysign(one, f) * (scale * first);
    *hessian = scale * (total * uv + gamma * (steep + steep) +
                        (gamma * (value_r * r) - p[9] * (gamma_value * bend)));
}

/* For hard labels, with z = f or, for y = 1, -f: the cost, -0 where y = 1, s = P and its complement. s is u where z is
 * negative, and v elsewhere. */
typedef struct {
    V cost, minus, s, s_low, rest, far;
} FN(focal_hard_terms);

FL_INLINE FN(focal_hard_terms) FN(focal_hard)(V y, V f, V u, V u_low, V v, V v_low, const REAL *p)
{
    const V zero = vsplat(0.0);
    const VI positive = y > 0.5;
    FN(focal_hard_terms) k;
    k.minus = vkeep(positive, vsplat(-0.0));
    k.cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V z = vflip(f, k.minus);
    k.s = vselect_negative(z, u, v), k.s_low = vselect_negative(z, u_low, v_low);
    k.rest = vselect_negative(z, v, u);
    /* a zero weight drops its term: 0 * inf would be NaN; vmax: NaN stays */
    k.far = vkeep((k.cost == zero) == 0, vmax(zero, z));
    return k;
}

/* Not 0 where a label is between 0 and 1 */
FL_INLINE VI FN(focal_is_soft)(V y)
{
    return ((y == 0.0) | (y == 1.0)) == 0;
}

/* What labels between decide: w, c, c + d, C', s in a pair, r and r (r - u + v) */
typedef struct {
    V weight, c, total, slope, s, s_low, r, bend;
} FN(focal_soft_terms);

/* `paired` is a constant: whether s is in a pair. */
FL_INLINE FN(focal_soft_terms)
    FN(focal_soft)(V y, V f, V u, V u_low, V v, V v_low, const REAL *p, int paired)
{
    const V zero = vsplat(0.0), one = vsplat(1.0);
    const V y_other = one - y, y_other_low = (one - y_other) - y;
    const V a = FN(fl_opaque)(y * p[2]), b = FN(fl_opaque)(y_other * p[3]);
    const V c = vselect_negative(f, a, b), d = vselect_negative(f, b, a);
    const V g = vselect_negative(f, y, y_other), h = vselect_negative(f, y_other, y);
    const V g_low = vselect_negative(f, zero, y_other_low);
    const V h_low = vselect_negative(f, y_other_low, zero);
    /* g - h, exact where it is small */
    const V tilt = vselect_negative(f, (y + y) - one, one - (y + y));
    FN(focal_soft_terms) k;
    k.s_low = zero;
    if (paired) {
        V g_error, h_error, error;
        const V gv = FN(fl_product)(g, v, &g_error), hu = FN(fl_product)(h, u, &h_error);
        k.s = FN(fl_two_sum)(gv, hu, &error);
        k.s_low =
            error + ((g_error + (g * v_low + g_low * v)) + (h_error + (h * u_low + h_low * u)));
    } else {
        k.s = FN(fl_opaque)(g * v + h * u);
    }
    k.weight = FN(focal_weight)(y, y_other, p);
    k.c = c, k.total = c + d;
    k.slope = FN(fl_opaque)(c * v) - FN(fl_opaque)(d * u);
    k.r = FN(fl_opaque)(tilt * FN(fl_opaque)(u * v)) / k.s;
    k.bend = FN(fl_opaque)(k.r * (k.r - (u - v)));
    return k;
}

/* What the labels do not decide: t, and u in a pair. log(1 + t), whose series waits for u, is left to the second stage,
 * where it overlaps with the powers. */
typedef struct {
    V t, u, u_low;
} FN(focal_plain_kept);

/* e^x for x <= 0 in a pair; without tables to a relative 2^-56, which is enough for s^7 */
FL_INLINE V FN(focal_exp)(V x, V *low)
{
#if FL_LOOKUP
    return FN(fl_exp_nonpositive_twofold)(x, low);
#else
    const V one = vsplat(1.0), bounded = vmax(vsplat(EXP_LOWEST), x); /* NaN stays */
    const V shift = vround_shift() + (REAL)(EXPONENT_BIAS + EXP_HEADROOM);
    const V shifted = bounded * LOG2_E + shift, n = shifted - shift;
    const V r_high = bounded - n * LN2_HI, n_low = FN(fl_opaque)(n * LN2_LO), r = r_high - n_low;
    const V r2 = FN(fl_opaque)(r * r);
    const V tail = r2 * FN(fl_exp_tail)(r, r2) + ((r_high - r) - n_low);
    const V sum = one + r, rest = ((one - sum) + r) + tail, high = sum + rest;
    const V scale = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
    *low = ((sum - high) + rest) * scale * EXP_BACK;
    return high * scale * EXP_BACK;
#endif
}

FL_INLINE FN(focal_plain_kept) FN(focal_plain_first)(V y, V f, const REAL *p)
{
    const V one = vsplat(1.0);
    V t_low, error;
    const V t = FN(fl_opaque)(FN(focal_exp)(vminus_abs(f), &t_low));
    const V whole = one + t, whole_low = ((one - whole) + t) + t_low, inverse = one / whole;
    const V q = FN(fl_opaque)(t * inverse), product = FN(fl_product)(q, whole, &error);
    const V rest = FN(fl_opaque)((((t - product) - error) + (t_low - q * whole_low)) * inverse);
    FN(focal_plain_kept) k;
    (void)y, (void)p;
    k.t = t, k.u = q + rest, k.u_low = (q - k.u) + rest;
    return k;
}

/* (x + x_low)^n for 1 <= n < 8. What is asked is the same for all samples. */
FL_INLINE V FN(focal_power)(V x, V x_low, int n, V *low)
{
    V power = x, power_low = x_low, error;
    for (int bit = 2; bit < 8 && bit <= n; bit += bit) {
        const V square = FN(fl_product)(x, x, &error), twice = x + x;
        x_low = error + twice * x_low;
        x = square;
        if (n & bit && n & (bit - 1)) {
            const V product = FN(fl_product)(power, x, &error);
            power_low = error + (power * x_low + power_low * x);
            power = product;
        } else if (n & bit) {
            power = x, power_low = x_low;
        }
    }
    *low = power_low;
    return power;
}

FL_INLINE void FN(focal_plain_rest)(V y, V f, FN(focal_plain_kept) k, const REAL *p, V *loss,
                                    V *gradient, V *hessian)
{
    const V one = vsplat(1.0), gamma = vsplat(p[8]);
    const V v = one - k.u, v_low = ((one - v) - k.u) - k.u_low;
    const V uv = FN(fl_opaque)(k.u * v), log_t = FN(fl_opaque)(FN(fl_log1p_of)(k.t, k.u));
    const FN(focal_hard_terms) a = FN(focal_hard)(y, f, k.u, k.u_low, v, v_low, p);
    V power_low, error;
    const V power = FN(focal_power)(a.s, a.s_low, (int)p[8], &power_low);
    const V scale = FN(fl_product)(a.cost, power, &error);
    const V scale_low = FN(fl_opaque)(error + a.cost * power_low);
    const V value = vmin(vsplat(1e20), a.far) + log_t, gamma_value = FN(fl_opaque)(gamma * value);
    const V value_rest = FN(fl_opaque)(gamma_value * a.rest);
    const V first = FN(fl_opaque)(a.s + value_rest);
    *loss = scale * (a.far + log_t) + scale_low * value;
    *gradient = vflip(scale * first + scale_low * first, a.minus);
    *hessian = (scale + scale_low) * (uv + gamma * (uv + uv) +
                                      (gamma * (value_rest * a.rest) - p[9] * (gamma_value * uv)));
    if (FL_UNLIKELY(vany_less(y * y, y))) {
        const VI between = FN(focal_is_soft)(y);
        const V zero = vsplat(0.0), size = vabs(f), bounded = vmin(vsplat(1e20), size);
        const FN(focal_soft_terms) b = FN(focal_soft)(y, f, k.u, k.u_low, v, v_low, p, 1);
        const V soft_power = FN(focal_power)(b.s, b.s_low, (int)p[8], &power_low);
        const V w = FN(fl_product)(b.weight, soft_power, &error);
        const V w_low = FN(fl_opaque)(error + b.weight * power_low);
        const V log_part = FN(fl_opaque)(b.total * log_t);
        const V C = vkeep(b.c > zero, b.c * bounded) + log_part;
        const V gamma_C = FN(fl_opaque)(gamma * C), C_r = FN(fl_opaque)(gamma_C * b.r);
        const V steep = vmax(vsplat(p[10]), b.slope * b.r), step = FN(fl_opaque)(b.slope + C_r);
        const V large = FN(fl_opaque)(vkeep(b.c > zero, b.c * size) + log_part);
        *loss = vselect(between, w * large + w_low * C, *loss);
        *gradient = vselect(between, vcopysign(one, f) * (w * step + w_low * step), *gradient);
        *hessian = vselect(between,
                           (w + w_low) * (b.total * uv + gamma * (steep + steep) +
                                          (gamma * (C_r * b.r) - p[9] * (gamma_C * b.bend))),
                           *hessian);
    }
}

/* The same without pairs. */
FL_INLINE void FN(focal_of_float)(V y, V f, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(0.0), one = vsplat(1.0), gamma = vsplat(p[8]), y_other = one - y;
    const VI hard = (y == zero) | (y == one);
    const V weight = vselect(hard, one, FN(focal_weight)(y, y_other, p));
    const V a = y * vselect(hard, vsplat(p[0]), vsplat(p[2]));
    const V b = y_other * vselect(hard, vsplat(p[1]), vsplat(p[3]));
    const V c = vselect_negative(f, a, b), d = vselect_negative(f, b, a);
    const V g = vselect_negative(f, y, y_other), h = vselect_negative(f, y_other, y);
    const V size = vabs(f), bounded = vmin(vsplat(1e40), size); /* NaN stays */
    const V t = vexp_nonpositive(-size), v = FN(fl_opaque)(one / (one + t));
    const V u = FN(fl_opaque)(t * v), log_t = FN(fl_wide_log1p_unit)(t);
    const VI alone = g == zero;
    const V s = FN(fl_opaque)((g + h * t) * v), uv = FN(fl_opaque)(u * v), tilt = (g - h) * uv;
    const V r = vselect(hard, vselect(alone, -v, u), tilt / s);
    const V log_s = vselect(alone, -(bounded + log_t), FN(fl_wide_log)(s));
    const V power = FN(fl_wide_exp)(gamma * log_s);
    const V bend = vselect(hard, uv, r * (r - (u - v)));
    const V total = c + d, slope = FN(fl_opaque)(c * v) - FN(fl_opaque)(d * u);
    const V scale = FN(fl_opaque)(weight * power), log_part = FN(fl_opaque)(total * log_t);
    const V value = vkeep(c > zero, c * bounded) + log_part;
    const V gamma_value = FN(fl_opaque)(gamma * value);
    const V value_r = FN(fl_opaque)(gamma_value * r);
    const V steep = vmax(vsplat(p[10]), slope * r);
    *loss = scale * (vkeep(c > zero, c * size) + log_part);
    *gradient = vcopysign(one, f) * (scale * (slope + value_r));
    *hessian = scale * (total * uv + gamma * (steep + steep) +
                        (gamma * (value_r * r) - p[9] * (gamma_value * bend)));
}

/* log(1 + t) for u = t / (1 + t), as fl_log1p_of() */
FL_INLINE V FN(focal_log1p)(V t, V u)
{
#if FL_LOOKUP
    (void)u;
    return FN(fl_single_log1p_unit)(t);
#else
    static const double c[] = {-0.16666666656095666,    0.03333331808627471,
                               -0.007142498377603918,   0.0015841864358203007,
                               -0.00034832818738832715, 5.954903213370935e-05};
    const V w = t * u;
    const V series = FN(fl_polynomial)(w, w * w, c, sizeof c / sizeof *c);
    return t - w * (0.5 - (t - 0.5 * w) * series);
#endif
}

/* and for the gammas of focal_is_plain() */
typedef struct {
    V t, u;
} FN(focal_wide_kept);

FL_INLINE FN(focal_wide_kept) FN(focal_wide_first)(V y, V f, const REAL *p)
{
    const V one = vsplat(1.0), t = FN(fl_opaque)(FN(fl_single_exp)(vminus_abs(f)));
    FN(focal_wide_kept) k;
    (void)y, (void)p;
    k.t = t, k.u = FN(fl_opaque)(t / (one + t));
    return k;
}

/* x^n for 1 <= n < 8 */
FL_INLINE V FN(focal_wide_power)(V x, int n)
{
    V power = x;
    for (int bit = 2; bit < 8 && bit <= n; bit += bit) {
        x = x * x;
        if (n & bit && n & (bit - 1))
            power = power * x;
        else if (n & bit)
            power = x;
    }
    return power;
}

FL_INLINE void FN(focal_wide_rest)(V y, V f, FN(focal_wide_kept) k, const REAL *p, V *loss,
                                   V *gradient, V *hessian)
{
    const int n = (int)p[8];
    const V zero = vsplat(0.0), one = vsplat(1.0), gamma = vsplat(p[8]), v = one - k.u;
    const V uv = FN(fl_opaque)(k.u * v), log_t = FN(fl_opaque)(FN(focal_log1p)(k.t, k.u));
    const FN(focal_hard_terms) a = FN(focal_hard)(y, f, k.u, zero, v, zero, p);
    const V scale = FN(fl_opaque)(a.cost * FN(focal_wide_power)(a.s, n));
    const V value = vmin(vsplat(1e40), a.far) + log_t, gamma_value = FN(fl_opaque)(gamma * value);
    const V value_rest = FN(fl_opaque)(gamma_value * a.rest);
    *loss = scale * (a.far + log_t);
    *gradient = vflip(scale * (a.s + value_rest), a.minus);
    *hessian = scale * (uv + gamma * (uv + uv) +
                        (gamma * (value_rest * a.rest) - p[9] * (gamma_value * uv)));
    if (FL_UNLIKELY(vany_less(y * y, y))) {
        const VI between = FN(focal_is_soft)(y);
        const V size = vabs(f), bounded = vmin(vsplat(1e40), size); /* NaN stays */
        const FN(focal_soft_terms) b = FN(focal_soft)(y, f, k.u, zero, v, zero, p, 0);
        const V w = FN(fl_opaque)(b.weight * FN(focal_wide_power)(b.s, n));
        const V log_part = FN(fl_opaque)(b.total * log_t);
        const V C = vkeep(b.c > zero, b.c * bounded) + log_part;
        const V gamma_C = FN(fl_opaque)(gamma * C), C_r = FN(fl_opaque)(gamma_C * b.r);
        const V steep = vmax(vsplat(p[10]), b.slope * b.r);
        *loss = vselect(between, w * (vkeep(b.c > zero, b.c * size) + log_part), *loss);
        *gradient = vselect(between, vcopysign(one, f) * (w * (b.slope + C_r)), *gradient);
        *hessian = vselect(between,
                           w * (b.total * uv + gamma * (steep + steep) +
                                (gamma * (C_r * b.r) - p[9] * (gamma_C * b.bend))),
                           *hessian);
    }
}
#else
FL_FROM_WIDE(focal, focal_of_float)
FL_STAGED_FROM_WIDE(focal_plain, focal_wide)
#endif
FL_OF_STAGES(focal_plain)
#define FL_KEPT FN(focal_plain_kept)
