/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail-bench: signs requests ahead, replays them at an S3 server, checks every answer.
 *
 * Most commands are one plan, run and reported; the others have files of their own.
 */
#include <signal.h>
#include <stdio.h>

#include "tests/bench/commands.h"
#include "tests/bench/report.h"

static bool measure(const struct options *options, struct plan *plan, struct result *result,
                    struct fault *fault)
{
    struct service service;
    struct signer signer;
    bool ready = service_open(&service, options, fault) &&
                 (options->command != BENCH_FILL || service_bucket(&service, fault));

    if (ready && !signer_open(&signer, options))
        ready = fault_set(fault, false, "a name is too long");
    ready = ready && plan_make(plan, options, &signer, fault) &&
            run_plan(plan, options, &service.address, result, fault);
    service_close(&service);
    if (!ready)
        return false;
    /* What a get is told to ask for, a put has written. */
    if (str_present(options->acked) && options->command != BENCH_GET &&
        options->command != BENCH_HEAD)
        return numbers_write(&result->acked, options->acked.p, fault);
    return true;
}

static int command_plan(struct options *options, struct fault *fault)
{
    struct plan *plan = mem_zalloc(sizeof(*plan));
    struct result *result = mem_zalloc(sizeof(*result));
    int code = 1;

    if (options->command == BENCH_FILL) {
        options->seconds = 0;
        options->warmup_s = 0;
        options->rate = 0;
    }
    if (plan == NULL || result == NULL) {
        (void)fault_set(fault, 0, "no memory");
    } else if (measure(options, plan, result, fault)) {
        uint64_t samples = 0;

        report_result(options, plan, result, NULL);
        for (size_t i = 0; i < PLAN_LANES_MAX; i++)
            samples += result->latency[i].count;
        if (samples == 0)
            (void)fault_set(fault, 0, "nothing was measured");
        code = result->errors > 0 || samples == 0 ? 1 : 0;
    }
    if (plan != NULL)
        plan_close(plan);
    if (result != NULL)
        result_free(result);
    mem_free(plan);
    mem_free(result);
    return code;
}

static int run_command(struct options *options, struct fault *fault)
{
    switch ((enum bench_command)options->command) {
    case BENCH_MULTIPART:
        return command_multipart(options, fault);
    case BENCH_PROBE:
        return command_probe(options, fault);
    case BENCH_START:
        return command_start(options, fault);
    case BENCH_LIMITS:
        return command_limits(options, fault);
    default:
        return command_plan(options, fault);
    }
}

int main(int argc, char **argv)
{
    struct options options;
    struct fault fault = { 0 };
    bool help = false;
    int code;

    (void)signal(SIGPIPE, SIG_IGN);
    if (!options_parse(argc, argv, &options, &help, &fault)) {
        (void)fprintf(stderr, "pail-bench: %s\n", fault.text);
        return 2;
    }
    if (help) {
        options_help();
        return 0;
    }
    if (!digest_init()) {
        (void)fprintf(stderr, "pail-bench: the crypto library lacks an algorithm\n");
        return 1;
    }

    code = run_command(&options, &fault);
    if (fault.text[0] != '\0')
        (void)fprintf(stderr, "pail-bench: %s\n", fault.text);
    return code;
}
