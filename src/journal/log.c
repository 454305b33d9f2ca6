/* SPDX-License-Identifier: MIT */
#include "journal/internal.h"

#include <errno.h>
#include <string.h>

/* SQLite's write-ahead log as a file. Its format, and that of its index in shared memory, is
 * https://sqlite.org/walformat.html. */

#define LOG_HEAD_SIZE 32
#define FRAME_HEAD_SIZE 24
#define FRAME_SALT_AT 8
#define SALT_SIZE 8 /* renewed whenever the log is begun anew */
#define INDEX_SIZE 32768
#define INDEX_PAGE_SIZE_AT 14 /* uint16_t; 1 means 65536 */
#define INDEX_FRAMES_AT 16    /* uint32_t: frames of commits that succeeded */
#define INDEX_SALT_AT 32

static sqlite3_file *file_of(struct journal *j, int which)
{
    sqlite3_file *file = NULL;
    sqlite3_file_control(j->db, "main", which, &file);
    return file && file->pMethods ? file : NULL; /* the log is opened when it is first needed */
}

static int read_index(struct journal *j, sqlite3_int64 *ret_size, uint8_t ret_salt[SALT_SIZE])
{
    sqlite3_file *db = file_of(j, SQLITE_FCNTL_FILE_POINTER);
    void volatile *map = NULL;
    if (!db || db->pMethods->xShmMap(db, 0, INDEX_SIZE, 0, &map) != SQLITE_OK || !map)
        return -EIO;
    const uint8_t *index = (const uint8_t *)map; /* nobody else writes: we are the writer */
    uint16_t page_size;
    uint32_t frames;
    memcpy(&page_size, index + INDEX_PAGE_SIZE_AT, sizeof(page_size));
    memcpy(&frames, index + INDEX_FRAMES_AT, sizeof(frames));
    memcpy(ret_salt, index + INDEX_SALT_AT, SALT_SIZE);
    const sqlite3_int64 frame_size = FRAME_HEAD_SIZE + (page_size == 1 ? 65536 : page_size);
    *ret_size = LOG_HEAD_SIZE + frames * frame_size;
    return 0;
}

int journal_log_sync(struct journal *j)
{
    sqlite3_file *log = file_of(j, SQLITE_FCNTL_JOURNAL_POINTER);
    return log && log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) != SQLITE_OK ? -EIO : 0;
}

int journal_log_forget(struct journal *j)
{
    sqlite3_file *log = file_of(j, SQLITE_FCNTL_JOURNAL_POINTER);
    sqlite3_int64 size = 0;
    uint8_t salt[SALT_SIZE], frame[FRAME_HEAD_SIZE];
    if (!log)
        return 0;
    if (read_index(j, &size, salt) < 0)
        return -ENOTRECOVERABLE;
    /* A recovery goes on only to a frame with the log's present salt. */
    int result = log->pMethods->xRead(log, frame, sizeof(frame), size);
    if (result == SQLITE_IOERR_SHORT_READ ||
        (result == SQLITE_OK && memcmp(frame + FRAME_SALT_AT, salt, SALT_SIZE) != 0))
        return 0;
    if (log->pMethods->xTruncate(log, size) != SQLITE_OK)
        return -ENOTRECOVERABLE;
    journal_log_sync(j); /* may fail as the commit did; what was cut off no process finds anyway */
    return 0;
}
