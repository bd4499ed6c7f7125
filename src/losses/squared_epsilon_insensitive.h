/* Squared epsilon-insensitive loss: max(0, |r| - epsilon)^2, r = f - y. gradient 2 sign(r) max(0, |r| -
 * epsilon); Hessian 2 where |r| > epsilon, else 0. Worst error 3 ULP. Parameters: as in epsilon_insensitive.h.
 */
#include "losses/epsilon_insensitive.h"

FL_INLINE void FN(squared_epsilon_insensitive)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                               V *hessian)
{
    V r;
    const V excess = FN(fl_insensitive_excess)(y, f, p, &r);
    (void)t;
    *loss = excess * excess;
    *gradient = vcopysign(excess + excess, r);
    *hessian = vselect(r == r, vkeep(excess > R(0.0), vsplat(R(2.0))), r);
}
