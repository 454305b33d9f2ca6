/* SPDX-License-Identifier: MIT */
#include "support/service.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"

#define READY_WAIT_MS 120000 /* SQLite waits 10 s for each lock that the system refuses */
#define STOP_WAIT_MS 30000
#define MOST_ARGS 64

struct test_service {
    char folder[64];
    char state[80], socket[80], log[80], notify[80];
    const char *args[MOST_ARGS];
    pid_t pid;
    int pidfd;
};

static void print_log(const struct test_service *s)
{
    char command[256];
    snprintf(command, sizeof(command), "tail -n 200 '%s' >&2", s->log);
    if (system(command) != 0)
        fprintf(stderr, "no log at %s\n", s->log);
}

static _Noreturn void give_up(const struct test_service *s, const char *what)
{
    fprintf(stderr, "service: %s (%s)\n", what, strerror(errno));
    if (s)
        print_log(s);
    exit(1);
}

static const char *tree_path(const char *root, const char *relative)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % ARRAY_SIZE(paths)];
    snprintf(path, sizeof(paths[0]), "%s/%s", root, relative);
    return path;
}

const char *built_path(const char *relative)
{
    return tree_path(BUILD_ROOT, relative);
}

const char *source_path(const char *relative)
{
    return tree_path(SOURCE_ROOT, relative);
}

static void add_args(struct test_service *s, const char *const extra_args[])
{
    static char ocf_path[1024];
    snprintf(ocf_path, sizeof(ocf_path), "%s:%s:/usr/lib/ocf/resource.d", source_path("agents"),
             source_path("tests/agent/ocf"));
    const char *own[] = {built_path("src/service/clusportd"),
                         "--state",
                         s->state,
                         "--socket",
                         s->socket,
                         "--cluster-name",
                         "testcluster",
                         "--node-name",
                         "node1",
                         "--types",
                         source_path("types"),
                         "--ocf-path",
                         ocf_path,
                         "--networks",
                         "",
                         "--log-level",
                         "debug"};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        s->args[n++] = strdup(own[i]);
    for (size_t i = 0; extra_args && extra_args[i]; i++) {
        if (n == MOST_ARGS - 1)
            give_up(NULL, "too many arguments");
        s->args[n++] = strdup(extra_args[i]);
    }
    s->args[n] = NULL;
}

static int notify_listen(const struct test_service *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", s->notify);
    unlink(s->notify);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        give_up(s, "no notify socket");
    return fd;
}

static const char *const *environment;

void service_environment(const char *const variables[])
{
    environment = variables;
}

static void exec_service(const struct test_service *s, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (log < 0)
        _exit(1);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    setenv("NOTIFY_SOCKET", s->notify, 1);
    for (size_t i = 0; environment && environment[i]; i++)
        putenv((char *)environment[i]);
    execv(s->args[0], (char *const *)s->args);
    perror(s->args[0]);
    _exit(1);
}

/* false: it ended instead. */
static bool wait_ready(struct test_service *s, int notify_fd)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = notify_fd, .events = POLLIN},
                               {.fd = s->pidfd, .events = POLLIN}};
        int n = poll(fds, 2, READY_WAIT_MS);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            give_up(s, "not ready in time");
        if (fds[0].revents) {
            char message[512] = "";
            ssize_t size = recv(notify_fd, message, sizeof(message) - 1, 0);
            if (size > 0 && strstr(message, "READY=1"))
                return true;
            continue;
        }
        return false;
    }
}

static int wait_end(struct test_service *s)
{
    struct pollfd fd = {.fd = s->pidfd, .events = POLLIN};
    int n;
    do
        n = poll(&fd, 1, STOP_WAIT_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        give_up(s, "does not end");
    int status = 0;
    if (waitpid(s->pid, &status, 0) != s->pid)
        give_up(s, "cannot be waited for");
    close(s->pidfd);
    s->pid = 0;
    s->pidfd = -1;
    return status;
}

bool service_try(struct test_service *s, int *ret_status)
{
    _cleanup_close_
    int notify_fd = notify_listen(s);
    pid_t parent = getpid();
    fflush(NULL);
    s->pid = fork();
    if (s->pid < 0)
        give_up(s, "no process");
    if (s->pid == 0)
        exec_service(s, parent);
    s->pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
    if (s->pidfd < 0)
        give_up(s, "no pidfd");
    if (wait_ready(s, notify_fd))
        return true;
    *ret_status = wait_end(s);
    return false;
}

void service_again(struct test_service *s)
{
    int status;
    if (!service_try(s, &status))
        give_up(s, "ended before it was ready");
}

struct test_service *service_start(const char *const extra_args[])
{
    struct test_service *s = calloc(1, sizeof(*s));
    if (!s)
        give_up(NULL, "no memory");
    const char *scratch = getenv("TMPDIR");
    snprintf(s->folder, sizeof(s->folder), "%s/clusport-test-XXXXXX", scratch ? scratch : "/tmp");
    if (!mkdtemp(s->folder))
        give_up(NULL, "no scratch folder");
    snprintf(s->state, sizeof(s->state), "%s/state", s->folder);
    snprintf(s->socket, sizeof(s->socket), "%s/clusport.sock", s->folder);
    snprintf(s->log, sizeof(s->log), "%s/log", s->folder);
    snprintf(s->notify, sizeof(s->notify), "%s/notify", s->folder);
    add_args(s, extra_args);
    setenv("CLUSPORT_SOCKET", s->socket, 1);
    service_again(s);
    return s;
}

int service_signal(struct test_service *s, int signal)
{
    if (kill(s->pid, signal) < 0)
        give_up(s, "cannot be signalled");
    return wait_end(s);
}

bool service_ended(struct test_service *s, int *ret_status)
{
    struct pollfd fd = {.fd = s->pidfd, .events = POLLIN};
    if (poll(&fd, 1, 0) <= 0)
        return false;
    *ret_status = wait_end(s);
    return true;
}

void service_kill(struct test_service *s)
{
    if (kill(s->pid, SIGKILL) < 0)
        give_up(s, "cannot be killed");
    wait_end(s);
}

void service_halt(struct test_service *s)
{
    if (kill(s->pid, SIGTERM) < 0)
        give_up(s, "cannot be stopped");
    int status = wait_end(s);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "service: status %#x\n", (unsigned)status);
        give_up(s, "did not end well");
    }
}

void service_restart(struct test_service *s)
{
    service_kill(s);
    service_again(s);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

/* Beside the history that tests/history/run has made, for its judge. */
static void keep_journal(const struct test_service *s)
{
    static const char *const endings[] = {"", "-wal"};
    const char *history = getenv("CLUSPORT_HISTORY");
    for (size_t i = 0; history && i < ARRAY_SIZE(endings); i++) {
        char from[256], to[512];
        snprintf(from, sizeof(from), "%s/clusport.db%s", s->state, endings[i]);
        snprintf(to, sizeof(to), "%s/%s.db%s", history, basename(s->folder), endings[i]);
        rename(from, to);
    }
}

void service_forget(struct test_service *s)
{
    nftw(s->state, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void service_stop(struct test_service *s)
{
    if (!s)
        return;
    if (s->pid > 0)
        service_halt(s);
    keep_journal(s);
    nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    for (size_t i = 0; s->args[i]; i++)
        free((char *)s->args[i]);
    free(s);
}

const char *service_socket(const struct test_service *s)
{
    return s->socket;
}

const char *service_folder(const struct test_service *s)
{
    return s->folder;
}

const char *service_log(const struct test_service *s)
{
    return s->log;
}

pid_t service_pid(const struct test_service *s)
{
    return s->pid;
}

int service_pidfd(const struct test_service *s)
{
    return s->pidfd;
}

static char *read_all(int fd)
{
    size_t size = 0, capacity = 0;
    char *text = NULL;
    for (;;) {
        if (size + 1 >= capacity) {
            capacity = MAX(capacity * 2, (size_t)4096);
            text = realloc(text, capacity);
            if (!text)
                give_up(NULL, "no memory");
        }
        ssize_t n = read(fd, text + size, capacity - size - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        size += (size_t)n;
    }
    text[size] = '\0';
    return text;
}

static int output_file(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        give_up(NULL, "no temporary file");
    return fd;
}

int run_program(const char *const argv[], char **ret_stdout, char **ret_stderr)
{
    _cleanup_close_
    int out = output_file();
    _cleanup_close_
    int err = output_file();
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        give_up(NULL, "no process");
    if (pid == 0) {
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        execvp(argv[0], (char *const *)argv);
        perror(argv[0]);
        _exit(127);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    lseek(out, 0, SEEK_SET);
    lseek(err, 0, SEEK_SET);
    if (ret_stdout)
        *ret_stdout = read_all(out);
    if (ret_stderr)
        *ret_stderr = read_all(err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
