/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MOST_CUTS 256
#define FLIPS 256

/* run_seeds FOLDER: without a fuzzer, each seed, its beginnings, and itself with bytes changed:
 * the same ones each time. */

/* In memory of its own size, so that a sanitizer sees what is read beyond. */
static void run_copy(const uint8_t *data, size_t size, size_t at, uint8_t flip)
{
    _cleanup_free_
    uint8_t *copy = malloc(size ? size : 1);

    CHECK(copy);
    memcpy(copy, data, size);
    if (flip)
        copy[at] ^= flip;
    CHECK(LLVMFuzzerTestOneInput(copy, size) == 0);
}

static void run_seed(const uint8_t *data, size_t size)
{
    uint32_t random = 2463534242u;

    run_copy(data, size, 0, 0);
    for (size_t cut = 0; cut < size && cut <= MOST_CUTS; cut++)
        run_copy(data, cut, 0, 0);
    for (int i = 0; size > 0 && i < FLIPS; i++) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        run_copy(data, size, random % size, (uint8_t)(1u << (random >> 29)));
    }
}

static bool read_seed(const char *folder, const char *name)
{
    _cleanup_free_
    char *path = NULL;
    _cleanup_free_
    uint8_t *data = NULL;
    struct stat st;

    CHECK(asprintf(&path, "%s/%s", folder, name) >= 0);
    _cleanup_close_
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    data = malloc((size_t)st.st_size + 1);
    CHECK(data && read(fd, data, (size_t)st.st_size) == st.st_size);
    run_seed(data, (size_t)st.st_size);
    return true;
}

int main(int argc, char **argv)
{
    struct dirent **names = NULL;
    int seeds = 0;
    int count = argc == 2 ? scandir(argv[1], &names, NULL, alphasort) : -1;

    for (int i = 0; i < count; i++) {
        seeds += read_seed(argv[1], names[i]->d_name);
        free(names[i]);
    }
    free(names);
    printf("%d seeds\n", seeds);
    return seeds > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
