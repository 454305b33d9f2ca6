/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FAULTS_INJECTOR_H
#define TESTS_FAULTS_INJECTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A library that is preloaded into the process under test and makes the n-th call of a class fail.
 * It is told what to do by a page: the process's own, or one that another process has mapped too,
 * the file that FAULTS_PAGE_VARIABLE names. Programs that the process starts are left alone. */

enum fault_class {
    FAULT_MEMORY,     /* malloc and its relatives, whoever calls them */
    FAULT_DESCRIPTOR, /* calls that make a descriptor, or a mapping */
    FAULT_IO,         /* calls on a descriptor or a path */
    FAULT_PROCESS,    /* threads and processes */
    FAULT_SQLITE,     /* the database's own answers */
    FAULT_CLASS_COUNT,
};

/* Each function has up to so many ways to fail; one with fewer begins anew. */
#define FAULT_WAYS 3
#define FAULT_DEPTH 24
#define FAULTS_PAGE_VARIABLE "CLUSPORT_FAULTS_PAGE"

struct fault_place {
    char module[96];
    uint64_t offset;
};

struct fault_page {
    /* The order. Written while it is not armed. */
    uint32_t class; /* enum fault_class */
    uint32_t way;
    uint64_t nth;    /* from 1 */
    bool persistent; /* and every one after it */
    atomic_bool armed;
    /* What came of it. */
    _Atomic uint64_t counted; /* calls of the class */
    _Atomic uint32_t failed;  /* of these */
    int32_t error;            /* of the first that failed */
    uint32_t ways;            /* that it has to fail */
    char function[32];
    uint32_t depth;
    struct fault_place places[FAULT_DEPTH];
    /* Blocks of memory that are held, at any time; and when the process ended by itself. */
    _Atomic int64_t blocks;
    _Atomic int64_t blocks_at_exit;
    _Atomic int32_t pid;
};

/* Of the process itself. Reached by dlsym(): a program that was not given the library has neither.
 */
typedef struct fault_page *(*faults_page_fn)(void); /* "faults_page" */
typedef void (*faults_spare_fn)(bool spare);        /* "faults_spare": this thread does not count */

#endif
