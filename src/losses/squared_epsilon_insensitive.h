/* Squared epsilon-insensitive loss: max(0, |r| - epsilon)^2, r = f - y. gradient 2 sign(r) max(0, |r| -
 * epsilon); Hessian 2 where |r| > epsilon, else 0. Worst error 3 ULP. Parameter: p[0] = epsilon.
 */
#include "losses/epsilon_insensitive.h"

#if FL_BITS == 64
FL_INLINE void FN(squared_epsilon_insensitive_of_float)(V y, V f, const REAL *p, V *loss,
                                                        V *gradient, V *hessian)
{
    V r;
    const V excess = FN(fl_insensitive_excess)(y, f, p, &r);
    *loss = excess * excess;
    *gradient = vcopysign(excess + excess, r);
    *hessian = vkeep(excess > R(0.0), vsplat(R(2.0)));
}

FL_INLINE void FN(squared_epsilon_insensitive)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                               V *hessian)
{
    (void)t;
    FN(squared_epsilon_insensitive_of_float)(y, f, p, loss, gradient, hessian);
}
#else
FL_FROM_WIDE(squared_epsilon_insensitive, squared_epsilon_insensitive_of_float)
#endif
