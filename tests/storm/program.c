/* SPDX-License-Identifier: MIT */
#include "storm/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/service.h"

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s (%s)\n", file, line, what, strerror(errno));
    exit(1);
}

struct program program_start(const char *role, uint64_t number)
{
    return program_start_other("/proc/self/exe", role, number);
}

struct program program_start_other(const char *path, const char *role, uint64_t number)
{
    int to[2], from[2];
    char text[32];
    pid_t parent = getpid();

    CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    snprintf(text, sizeof text, "%" PRIu64, number);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        if (getppid() == parent)
            execl(path, path, role, text, NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    return (struct program){.pid = pid, .to = to[1], .from = from[0]};
}

void program_tell(const struct program *p, char what)
{
    CHECK(write(p->to, &what, 1) == 1 || errno == EPIPE);
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

bool program_answers(const struct program *p)
{
    struct pollfd fd = {.fd = p->from, .events = POLLIN};
    char byte;

    if (poll(&fd, 1, PROGRAM_WAIT_MS) != 1)
        silent(p);
    return read(p->from, &byte, 1) == 1;
}

void program_hold(struct program *p, bool held)
{
    if (p->held == held)
        return;
    p->held = held;
    CHECK(kill(p->pid, held ? SIGSTOP : SIGCONT) == 0);
}

void program_wait_for_end(struct program *p)
{
    int status = 0;

    CHECK(!program_answers(p));
    CHECK(waitpid(p->pid, &status, 0) == p->pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(p->to);
    close(p->from);
}
