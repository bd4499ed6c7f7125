/* Squared logarithmic error: r^2 with r = log1p(f) - log1p(y), y > -1. gradient 2 r / (1 + f), Hessian
 * 2 (1 - r) / (1 + f)^2, negative where r > 1, or at least 2 / (1 + f)^2, twice the square of r's slope, as
 * Gauss and Newton have it. r = +-log1p(|f - y| / (1 + min(f, y))) in pairs of numbers, without cancellation and
 * for any f; float32 in float64, without pairs. Outside f > -1: NaN below, infinite at -1. Worst error 3 ULP, of the
 * Hessian in ULP of its larger term. Parameters: p[0] = infinity, or 0 for the bounded Hessian.
 */
#if FL_BITS == 64
#include "vecmath/single.h"

FL_INLINE void FN(squared_log_error)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    /* the quotient may overflow where its logarithm does not: then 2^-shift times it */
    const REAL large = 0x1p900;
    const REAL down = 0x1p-60;
    V d_lo, m_lo, product_lo, x_lo, tail;
    VU e;
    (void)t;
    const V d = FN(fl_two_sum)(f, -y, &d_lo), m = FN(fl_two_sum)(one, vmin(y, f), &m_lo);
    const VI shifted = (vabs(d) > large) & (m < one);
    const V unit = vselect(shifted, vsplat(down), one);
    const V size = vabs(d) * unit, size_lo = vselect_negative(d, -d_lo, d_lo) * unit;
    const V inverse = one / m, q = FN(fl_opaque)(size * inverse);
    const V product = FN(fl_product)(q, m, &product_lo);
    const V q_lo = FN(fl_opaque)((((size - product) - product_lo) + size_lo - q * m_lo) * inverse);
    /* log(1 + q + q_lo) = k log 2 + log(1 + g + g_lo), whose derivative is 1 - g + g^2 - ... */
    const V x = FN(fl_two_sum)(one, q, &x_lo), g = FN(fl_log_split)(x, &e) - one;
    const V k = FN(fl_log_exponent)(e) + vkeep(shifted, vsplat(60.0));
    const V g_lo = FN(fl_opaque)((x_lo + q_lo) * FN(fl_log_scale)(e));
    const V sum = FN(fl_log_sum_parts)(k, g, &tail);
    const V rest = tail + FN(fl_opaque)(g_lo * (one - g * (one - g * (one - g))));
    const V log_hi = sum + rest, log_lo = (sum - log_hi) + rest;
    /* q itself where it is infinite, at f = -1 and beyond all numbers, or NaN */
    const VI finite = (q <= REAL_MAX) & (m > zero);
    V size_of_r = vselect(finite, log_hi, q);
    size_of_r = vselect(m < zero, vsplat((REAL)NAN), size_of_r);
    const V r = vcopysign(size_of_r, d), double_r = r + r;
    const V w = one + f;
    const VI last = f > REAL_MAX;
    *loss = r * r + FN(fl_opaque)(vkeep(finite, (size_of_r + size_of_r) * log_lo));
    *gradient = vselect(last, zero, double_r / w);
    *hessian = vselect(last, zero, (R(2.0) - vmin(vsplat(p[0]), double_r)) / w / w);
}

FL_INLINE void FN(squared_log_error_of_float)(V y, V f, const REAL *p, V *loss, V *gradient,
                                              V *hessian)
{
    const V zero = vsplat(0.0), infinity = vsplat((REAL)INFINITY), over = 1.0 / (1.0 + f);
    const V d = f - y, m = 1.0 + vmin(y, f), q = vabs(d) / m;
    const VI finite = (q < infinity) & (m > zero), last = f > REAL_MAX;
    const V size = vselect(m < zero, vsplat((REAL)NAN), vselect(finite, FN(fl_single_log1p)(q), q));
    const V r = vcopysign(size, d), double_r = r + r;
    *loss = r * r;
    *gradient = vselect(last, zero, double_r * over);
    *hessian = vselect(last, zero, ((2.0 - vmin(vsplat(p[0]), double_r)) * over) * over);
}
#else
FL_FROM_WIDE(squared_log_error, squared_log_error_of_float)
#endif
