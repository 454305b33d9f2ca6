/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "faults/driver.h"
#include "model/json_text.h"

/* A text is read whole or not at all, whichever allocation fails. */

#define LONG                                                                                       \
    "a text that is longer than the parser's first buffer, and then than its second one, too"

static const char text[] =
    "{\"name\":\"" LONG "\",\"" LONG "\":[1,-2,3.5,true,null,\"\\u00e4\\n" LONG
    "\"],\"more\":[[],[],[],[],[],[],[],[],[],{\"a\":{},\"b\":1}],"
    "\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8}";

static json_t *whole, *root;
static int result;

static void body(void)
{
    result = json_text_parse(text, strlen(text), 0, NULL, &root);
}

static void after(void)
{
    EXPECT(result == (faults_hit() > 0 ? -ENOMEM : 0), "%s", strerror(-result));
    EXPECT(!root == (result != 0), "what failed has touched the result");
    EXPECT(!root || json_equal(root, whole), "the text was read as another");
    json_decref(root);
    root = NULL;
}

int main(int argc, char *argv[])
{
    static const struct fault_task task = {"parse", NULL, body, after, 1u << FAULT_MEMORY,
                                           0,       0,    true};
    (void)argc;
    faults_begin(argv);
    EXPECT(json_text_parse(text, strlen(text), 0, NULL, &whole) == 0, "%m");
    EXPECT(json_text_parse(text, strlen(text) - 1, 0, NULL, &root) == -EBADMSG && !root,
           "not a text");
    faults_run(faults_own_page(), &task);
    json_decref(whole);
    return 0;
}
