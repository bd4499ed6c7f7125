/* The kernels for x86-64 v1 (SSE2), what every 64-bit x86 processor has. */
#define FL_ISA baseline
#include "kernels.inc"
