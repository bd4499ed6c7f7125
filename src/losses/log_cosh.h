/* Log-cosh loss: log cosh r, r = f - y. gradient tanh r, Hessian 1 / cosh^2 r, or tanh(r) / r, the
 * weight of iteratively reweighted least squares. With t = e^{-2|r|}, whose
 * exponent takes the rounding error of r along:
 *     loss     = |r| - log 2 + log1p(t) for |r| >= log 2, where no term cancels; r^2 P(r^2) below
 *     gradient = (1 - t) / (1 + t) = 1 - 2 u with the sign of r; r + r^3 T(r^2) below
 *     Hessian  = 4 u (1 - u), u = t / (1 + t) = t - t (t / (1 + t))
 * Worst error 4 ULP. Parameters: p[0] = 1 for the weight as Hessian.
 */
#include "vecmath/log1p_of.h"

/* r in a pair, and t, larger by 1 / EXP_BACK */
typedef struct {
    V r, r_lo, t;
} FN(log_cosh_kept);

FL_INLINE FN(log_cosh_kept) FN(log_cosh_first)(V y, V f, const REAL *p)
{
    FN(log_cosh_kept) k;
    k.r = vresidual(y, f, &k.r_lo);
    const V x = vminus_abs(k.r + k.r);
    /* beyond EXP_LOWEST t is 0 whatever the error of r, which may be large there */
    const V low = vkeep(x > EXP_LOWEST, vflip(k.r_lo + k.r_lo, k.r));
    k.t = FN(fl_exp_headroom_of_sum)(x, -low);
    (void)p;
    return k;
}

FL_INLINE void FN(log_cosh_rest)(V y, V f, FN(log_cosh_kept) k, const REAL *p, V *loss, V *gradient,
                                 V *hessian)
{
#if FL_BITS == 64
    static const double near_loss[] = {0.5,
                                       -0.08333333333333177,
                                       0.022222222222032493,
                                       -0.006746031737989899,
                                       0.0021869486832170565,
                                       -0.0007386008559390172,
                                       0.0002565641437372213,
                                       -9.090499725040706e-05,
                                       3.248570782076881e-05,
                                       -1.1270766391516556e-05,
                                       3.3471220773878717e-06,
                                       -6.001953481014709e-07};
    static const double near_tanh[] = {
        -0.3333333333333313,    0.13333333333304642,    -0.05396825395398992,
        0.02186948817960427,    -0.00886323029043947,   0.00359207881210582,
        -0.0014555241810887802, 0.0005886817650722497,  -0.0002350725217254301,
        8.846170638314873e-05,  -2.734494962233912e-05, 4.900014298378193e-06};
#else
    static const float near_loss[] = {0.5f,           -0.08333323f,  0.022219177f,
                                      -0.0067161415f, 0.0020561828f, -0.00046502496f};
    static const float near_tanh[] = {-0.33333325f, 0.13333008f,   -0.05392349f,
                                      0.021582557f, -0.007906819f, 0.0019134401f};
#endif
    const V one = vsplat(R(1.0));
    const V r = k.r, r_lo = k.r_lo, t = k.t, size = vabs(r), size_lo = vflip(r_lo, r);
    (void)y, (void)f;
    const VI outer = size >= LN2_HI + LN2_LO;
    const V z = r * r + (r + r) * r_lo, z2 = z * z;
    const V small = t * EXP_BACK, q = small / (one + small);
    const V inside = z * FN(fl_polynomial)(z, z2, near_loss, sizeof near_loss / sizeof(REAL));
    const V bend = FN(fl_polynomial)(z, z2, near_tanh, sizeof near_tanh / sizeof(REAL));
    const V u = small - small * q, scaled_u = t - t * q;
    /* float32's shorter series are done before u is */
    const V log_part = FL_BITS == 64 ? FN(fl_log1p_of)(small, u) : vlog1p_unit(small);
    const V tanh = FL_BITS == 64 ? one - (u + u) : (one - small) / (one + small);
    *loss = vselect(outer, (size - LN2_HI) + ((size_lo - LN2_LO) + log_part), inside);
    *gradient = vselect(outer, vcopysign(tanh, r), r + ((r * z) * bend + r_lo));
    *hessian = (scaled_u - scaled_u * u) * (4 * EXP_BACK);
    if (FL_UNLIKELY(p[0] > R(0.0)))
        *hessian = vselect(outer, tanh / size, one + z * bend);
}

FL_OF_STAGES(log_cosh)
#define FL_KEPT FN(log_cosh_kept)
