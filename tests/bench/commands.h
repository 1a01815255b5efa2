/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of pail-bench that are more than one plan. All return the exit code.
 */
#ifndef TESTS_BENCH_COMMANDS_H
#define TESTS_BENCH_COMMANDS_H

#include "tests/bench/service.h"

int command_multipart(const struct options *options, struct fault *fault);
int command_probe(const struct options *options, struct fault *fault);
int command_start(const struct options *options, struct fault *fault);
int command_limits(const struct options *options, struct fault *fault);

#endif
