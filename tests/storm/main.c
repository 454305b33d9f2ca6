/* SPDX-License-Identifier: MIT */
#include "storm/storm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/service.h"

/* The driver. It uses no function of the library: what it starts is killed and held up at will. */

#define READERS 3
#define FIRST_CHANGES 40
#define WAIT_MS 60000 /* only a failure waits so long */

static uint64_t present_seed;

_Noreturn void storm_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s (%s)\n", file, line, what, strerror(errno));
    exit(1);
}

struct program {
    pid_t pid;
    int to, from; /* its standard input and output */
    bool held;
};

struct storm {
    struct test_service *service;
    struct test_random random;
    struct program changer, readers[READERS];
};

static struct program start(const char *role, uint64_t seed)
{
    int to[2], from[2];
    char number[32];
    pid_t parent = getpid();

    CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    snprintf(number, sizeof number, "%" PRIu64, seed);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        if (getppid() == parent)
            execl("/proc/self/exe", "storm", role, number, NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    return (struct program){.pid = pid, .to = to[1], .from = from[0]};
}

/* What a program that gives no answer does, as far as the service knows. */
static _Noreturn void silent(const struct program *p)
{
    const char *const argv[] = {built_path("src/cli/clusport"), "ports", NULL};
    char *list = NULL;

    run_program(argv, &list, NULL);
    fprintf(stderr, "process %d says nothing; the ports:\n%s", p->pid, list);
    exit(1);
}

/* One byte; false: it ended. */
static bool answer_of(const struct program *p)
{
    struct pollfd fd = {.fd = p->from, .events = POLLIN};
    char byte;

    if (poll(&fd, 1, WAIT_MS) != 1)
        silent(p);
    return read(p->from, &byte, 1) == 1;
}

static void tell(const struct program *p, char what)
{
    CHECK(write(p->to, &what, 1) == 1 || errno == EPIPE);
}

static void wait_for_end(struct program *p)
{
    int status = 0;

    CHECK(!answer_of(p));
    CHECK(waitpid(p->pid, &status, 0) == p->pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(p->to);
    close(p->from);
}

static void hold(struct program *p, bool held)
{
    if (p->held == held)
        return;
    p->held = held;
    CHECK(kill(p->pid, held ? SIGSTOP : SIGCONT) == 0);
}

/* Some changes, and somewhere between them what else may happen. */
static void one_step(struct storm *s)
{
    uint32_t changes = 1 + random_below(&s->random, 20), before;
    struct program *reader = &s->readers[random_below(&s->random, READERS)];

    before = random_below(&s->random, changes);
    for (uint32_t i = 0; i < changes; i++)
        tell(&s->changer, TELL_CHANGE);
    for (uint32_t i = 0; i < before; i++)
        CHECK(answer_of(&s->changer));
    switch (random_below(&s->random, 6)) {
    case 0:
        service_restart(s->service);
        break;
    case 1:
        hold(reader, true);
        break;
    case 2:
        hold(reader, false);
        break;
    case 3:
        tell(reader, TELL_GO_ON);
        break;
    }
    for (uint32_t i = before; i < changes; i++)
        CHECK(answer_of(&s->changer));
}

static void start_all(struct storm *s, uint64_t seed)
{
    static const char *const keep[] = {"100", "500", "1000000"};
    const char *const args[] = {
        "--feed-size", "64K", "--keep-changes", keep[random_below(&s->random, 3)], "--log-level",
        "info",        NULL};

    s->service = service_start(args);
    s->changer = start("changer", seed);
    for (int i = 0; i < FIRST_CHANGES; i++) {
        tell(&s->changer, TELL_CHANGE);
        CHECK(answer_of(&s->changer));
    }
    for (uint64_t i = 0; i < READERS; i++)
        s->readers[i] = start("reader", seed * READERS + i);
    for (int i = 0; i < READERS; i++)
        CHECK(answer_of(&s->readers[i]));
}

static void storm(uint64_t seed, uint64_t steps)
{
    struct storm s = {.random = random_of(seed)};

    start_all(&s, seed);
    for (uint64_t i = 0; i < steps; i++)
        one_step(&s);
    for (int i = 0; i < READERS; i++)
        hold(&s.readers[i], false);
    tell(&s.changer, TELL_END);
    CHECK(answer_of(&s.changer));
    for (int i = 0; i < READERS; i++)
        tell(&s.readers[i], TELL_END);
    for (int i = 0; i < READERS; i++)
        wait_for_end(&s.readers[i]);
    close(s.changer.to);
    s.changer.to = -1;
    wait_for_end(&s.changer);
    service_stop(s.service);
}

static void say_seed(void)
{
    if (present_seed)
        fprintf(stderr, "repeat with CLUSPORT_SEED=%" PRIu64 " CLUSPORT_ROUNDS=1\n", present_seed);
}

int main(int argc, char *argv[])
{
    if (argc == 3)
        return (strcmp(argv[1], "changer") == 0 ? run_changer
                                                : run_reader)(strtoull(argv[2], NULL, 10));

    uint64_t first = campaign_seed(1), rounds = campaign_rounds(argc > 1 ? 1 : 3, 300);
    uint64_t steps = argc > 1 ? 12 : 40;
    signal(SIGPIPE, SIG_IGN);
    atexit(say_seed);
    for (present_seed = first; present_seed < first + rounds; present_seed++) {
        printf("seed %" PRIu64 "\n", present_seed);
        fflush(stdout);
        storm(present_seed, steps);
    }
    present_seed = 0;
    return 0;
}
