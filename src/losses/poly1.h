/* PolyLoss-1: log loss plus epsilon (1 - p_t), on a logit f, labels y in [0, 1]: a (softplus(-f) +
 * epsilon sigma(-f)) + b (softplus(f) + epsilon sigma(f)), a = cost_fn y, b = cost_fp (1 - y),
 * epsilon >= -1.
 *
 * With t = e^{-|f|}, u = sigma(-|f|), c = (f >= 0 ? b : a) and d the other:
 *     loss     = c |f| + (a + b) log1p(t) + epsilon (c (1 - u) + d u)
 *     gradient = (f >= 0 ? 1 : -1) (c (1 - u) (1 + epsilon u) - d u (1 + epsilon - epsilon u))
 *     Hessian  = u (1 - u) (d (1 + epsilon - 2 epsilon u) + c (1 - epsilon + 2 epsilon u))
 * Worst error 5 ULP; in ULP of the larger term where the loss cancels for epsilon < 0, 6 of it where the
 * gradient of soft labels does, 5 of (1 + |epsilon|) (a + b) u (1 - u) in the Hessian, which may be negative for
 * epsilon > 1. The bounded one then has epsilon p_t, p_t = sigma(-f) for b and sigma(f) for a, for epsilon (2 p_t - 1):
 *     u (1 - u) (d (1 + epsilon - epsilon u) + c (1 + epsilon u))
 * 1 - p_t is a concave function of the log loss, and p_t the slope of its tangent, which is above it.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp, p[2] = epsilon, p[3] = 0, p[4] = 1 + epsilon,
 * p[5] = 1 - epsilon; p[3] = p[5] = 1 for the bounded Hessian.
 */
#include "vecmath/log1p_of.h"
#include "vecmath/scale_pair.h"

/* u, and *spread = u (1 - u) with what u was rounded by */
FL_INLINE V FN(poly1_smaller)(V t, V *spread)
{
    const V q = FN(fl_opaque)(t / (R(1.0) + t)), u = FN(fl_opaque)(t - t * q);
    *spread = FN(fl_opaque)(u + (((t - u) - t * q) - u * u));
    return u;
}

/* v (1 + epsilon u) and u (1 + epsilon - epsilon u) for epsilon < 0: near -1 they are squares, in which errors count
 * twice. So u and v are pairs, u by u (1 + t) = t. */
FL_INLINE void FN(poly1_falling)(V t, V u, V v, const REAL *p, V *at_v, V *at_u)
{
    const V u_low = FN(fl_opaque)(FN(fl_rest_of_product)(u, t, t - u) * v);
    const V v_low = ((R(1.0) - v) - u) - u_low;
    const V more = FN(fl_opaque)(p[2] * u), more_low = FN(fl_opaque)(p[2] * u_low);
    const V rising = R(1.0) + more, rising_low = ((R(1.0) - rising) + more) + more_low;
    const V falling = p[4] - more, falling_low = (p[4] - (falling + more)) - more_low;
    *at_v =
        FN(fl_opaque)(v * rising + FN(fl_opaque)(v * rising_low + FN(fl_opaque)(v_low * rising)));
    *at_u = FN(fl_opaque)(u * falling +
                          FN(fl_opaque)(u * falling_low + FN(fl_opaque)(u_low * falling)));
}

FL_INLINE V FN(poly1_prepare)(V y, V f, const REAL *p)
{
    (void)y, (void)p;
    return vexp_nonpositive(vminus_abs(f));
}

FL_INLINE void FN(poly1)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const V a = p[0] * y, b = p[1] * (one - y);
    const V c = vselect_negative(f, a, b), d = vselect_negative(f, b, a);
    V uv;
    const V u = FN(poly1_smaller)(t, &uv), v = one - u;
    const V more = FN(fl_opaque)(p[2] * u);
    V twice = more + more;
    if (FL_UNLIKELY(p[3] > R(0.0)))
        twice = more;
    /* the costs come last: beside a large epsilon the other products could be too large, or too small for their digits */
    const V share = FN(fl_opaque)(c * FN(fl_opaque)(p[2] * v)) + FN(fl_opaque)(d * more);
    V at_v = FN(fl_opaque)(v * (one + more)), at_u = FN(fl_opaque)(u * (p[4] - more));
    if (FL_UNLIKELY(p[2] < R(0.0)))
        FN(poly1_falling)(t, u, v, p, &at_v, &at_u);
    const V at_c = FN(fl_opaque)(c * at_v), at_d = FN(fl_opaque)(d * at_u);
    const V bend_c = FN(fl_opaque)(c * FN(fl_opaque)(uv * (p[5] + twice)));
    const V bend_d = FN(fl_opaque)(d * FN(fl_opaque)(uv * (p[4] - twice)));
    /* a zero weight drops its term: 0 * inf would be NaN */
    *loss = vkeep(c > zero, c * vabs(f)) + ((c + d) * FN(fl_log1p_of)(t, u) + FN(fl_opaque)(share));
    *gradient = vcopysign(one, f) * (at_c - at_d);
    *hessian = bend_d + bend_c;
}

/* The same for y in {0, 1} and epsilon >= 0, where one of a and b is 0: with z = (1 - 2y) f and P = sigma(z) the
 * loss is cost (max(z, 0) + log1p(t) + epsilon P). What is left out is a product by 0, so the bits are those of poly1(). */
FL_INLINE int FN(poly1_is_plain)(const REAL *p)
{
    return p[2] >= R(0.0);
}

FL_INLINE void FN(poly1_plain)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const VI positive = y > zero;
    const V minus = vkeep(positive, vsplat(R(-0.0))), z = vflip(f, minus);
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    V uv;
    const V u = FN(poly1_smaller)(t, &uv), v = one - u;
    const V more = FN(fl_opaque)(p[2] * u);
    V twice = more + more;
    if (FL_UNLIKELY(p[3] > R(0.0)))
        twice = more;
    const V share = vselect_negative(z, more, FN(fl_opaque)(p[2] * v));
    const V slope =
        FN(fl_opaque)(vselect_negative(z, u, v) * vselect_negative(z, p[4] - more, one + more));
    const V bend = FN(fl_opaque)(uv * vselect_negative(z, p[4] - twice, p[5] + twice));
    /* vmax: NaN stays */
    *loss = vkeep(cost > zero, cost * vmax(zero, z)) +
            (cost * FN(fl_log1p_of)(t, u) + FN(fl_opaque)(cost * share));
    *gradient = vflip(cost * slope, minus);
    *hessian = cost * bend;
}
