/* The kernels in plain C11, one lane a vector: for compilers without vector types and other
 * processors, and the yardstick that the tests hold the vector builds against. */
#define FL_SCALAR 1
#define FL_ISA generic
#include "kernels.inc"
