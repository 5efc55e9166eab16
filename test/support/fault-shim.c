// Counts the operations of a process on files below FAULT_ROOT, and makes the one with the number FAULT_AT fail as
// FAULT_KIND says:
//   kill      the process is killed before it
//   torn      half of a write is done, then the process is killed
//   power-cut  as kill, and what was not synced is lost: written bytes, renames, links and removals of names
//   ENOSPC, EROFS   it and all later ones that write fail
//   EIO, EMFILE     it fails, later ones do not
//   pause     the process is stopped before it, until somebody continues it
//   clock-back  from it on, the clock is a day behind
// FAULT_CLOCK is added to the clock, in seconds. With FAULT_LOG, the operations are written to that file, one a line.
// Loaded with LD_PRELOAD.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MOST 4096
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *kind;
static long at = -1, count = 0;
// Seconds that are added to the clock.
static volatile long shift = 0;
static int log_file = -1;

// Bytes of a file that are not synced: those after `size`.
static struct { dev_t dev; ino_t ino; off_t size; int fd; } unsynced[MOST];
static int unsynced_count = 0;
// Changes of names that are not synced.
enum { RENAMED, LINKED, UNLINKED };
static struct { int what, durable; char from[PATH_MAX], to[PATH_MAX], backup[PATH_MAX]; } changes[MOST];
static int changes_count = 0;

__attribute__((constructor)) static void start(void) {
  root = getenv("FAULT_ROOT");
  kind = getenv("FAULT_KIND");
  if (getenv("FAULT_AT")) at = atol(getenv("FAULT_AT"));
  if (getenv("FAULT_CLOCK")) shift = atol(getenv("FAULT_CLOCK"));
  if (getenv("FAULT_LOG")) log_file = syscall(SYS_openat, AT_FDCWD, getenv("FAULT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_watched(const char *path) { return root && path && strncmp(path, root, strlen(root)) == 0; }

static const char *path_of(int fd, char *into) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, into, PATH_MAX - 1);
  into[length < 0 ? 0 : length] = 0;
  return into;
}

static void folder_of(const char *path, char *into) {
  strcpy(into, path);
  char *slash = strrchr(into, '/');
  if (slash) *slash = 0;
}

static int has(const char *name) { return kind && strcmp(kind, name) == 0; }

static void cut_power(void) {
  for (int k = changes_count - 1; k >= 0; k--) {
    if (changes[k].durable) continue;
    if (changes[k].what == RENAMED) {
      REAL(rename)(changes[k].to, changes[k].from);
      if (*changes[k].backup) REAL(rename)(changes[k].backup, changes[k].to);
    } else if (changes[k].what == LINKED) REAL(unlink)(changes[k].to);
    else REAL(rename)(changes[k].backup, changes[k].from);
  }
  for (int k = 0; k < unsynced_count; k++) REAL(ftruncate)(unsynced[k].fd, unsynced[k].size);
  kill(getpid(), SIGKILL);
}

// Counts an operation; returns 0, or the error that it fails with. Called with the mutex held.
static int check(const char *operation, const char *path) {
  count++;
  if (log_file >= 0) dprintf(log_file, "%ld %s %s\n", count, operation, path);
  if (at < 0 || count < at) return 0;
  if (has("ENOSPC") && strncmp(operation, "unlink", 6) && strncmp(operation, "rmdir", 5)) return ENOSPC;
  if (has("EROFS")) return EROFS;
  if (count > at) return 0;
  if (has("EIO")) return EIO;
  if (has("EMFILE")) return EMFILE;
  if (has("kill")) kill(getpid(), SIGKILL);
  if (has("power-cut")) cut_power();
  if (has("pause")) kill(getpid(), SIGSTOP);
  if (has("clock-back")) shift = -86400;
  return 0;
}

static int is_torn(void) { return has("torn") && count == at; }

static void before_write(int fd) {
  struct stat found;
  if (!has("power-cut") || fstat(fd, &found) || !S_ISREG(found.st_mode) || unsynced_count == MOST) return;
  for (int k = 0; k < unsynced_count; k++) if (unsynced[k].dev == found.st_dev && unsynced[k].ino == found.st_ino) return;
  unsynced[unsynced_count].dev = found.st_dev;
  unsynced[unsynced_count].ino = found.st_ino;
  unsynced[unsynced_count].size = found.st_size;
  unsynced[unsynced_count++].fd = dup(fd);
}

static void after_sync(int fd, const char *path) {
  struct stat found;
  if (!has("power-cut") || fstat(fd, &found)) return;
  if (S_ISDIR(found.st_mode)) {
    char folder[PATH_MAX];
    for (int k = 0; k < changes_count; k++) {
      folder_of(changes[k].what == UNLINKED ? changes[k].from : changes[k].to, folder);
      if (strcmp(folder, path) == 0) changes[k].durable = 1;
    }
    return;
  }
  for (int k = 0; k < unsynced_count; k++)
    if (unsynced[k].dev == found.st_dev && unsynced[k].ino == found.st_ino) {
      close(unsynced[k].fd);
      unsynced[k] = unsynced[--unsynced_count];
      return;
    }
}

// Keeps what a change of names replaces or removes, next to the watched folder.
static void before_change(int what, const char *from, const char *to) {
  if (!has("power-cut") || changes_count == MOST) return;
  const char *lost = what == UNLINKED ? from : to;
  changes[changes_count].what = what;
  changes[changes_count].durable = 0;
  snprintf(changes[changes_count].from, PATH_MAX, "%s", from);
  snprintf(changes[changes_count].to, PATH_MAX, "%s", to);
  snprintf(changes[changes_count].backup, PATH_MAX, "%.3900s-lost-%d-%d", root, getpid(), changes_count);
  if (what == LINKED || REAL(link)(lost, changes[changes_count].backup)) *changes[changes_count].backup = 0;
  changes_count++;
}

#define FAIL_IF(error) do { int code_ = (error); if (code_) { pthread_mutex_unlock(&mutex); errno = code_; return -1; } } while (0)

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    if (is_watched(path) && (flags & (O_WRONLY | O_RDWR | O_CREAT))) { \
      pthread_mutex_lock(&mutex); FAIL_IF(check("open", path)); pthread_mutex_unlock(&mutex); \
    } \
    return REAL(name)(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

// Writes half of the first buffer of a torn write.
#define WRITE(type, name, parameters, arguments, base, length, torn) \
  type name parameters { \
    char path[PATH_MAX]; \
    if (!root || !is_watched(path_of(fd, path))) return REAL(name) arguments; \
    pthread_mutex_lock(&mutex); FAIL_IF(check(#name, path)); \
    before_write(fd); \
    if (is_torn()) { size_t half = (length) / 2; const void *start = (base); (void)!torn; kill(getpid(), SIGKILL); } \
    pthread_mutex_unlock(&mutex); \
    return REAL(name) arguments; \
  }
WRITE(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), data, size, REAL(write)(fd, start, half))
WRITE(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t to), (fd, data, size, to), data, size, REAL(pwrite)(fd, start, half, to))
WRITE(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t to), (fd, data, size, to), data, size, REAL(pwrite64)(fd, start, half, to))
WRITE(ssize_t, writev, (int fd, const struct iovec *parts, int number), (fd, parts, number), parts->iov_base, parts->iov_len, REAL(write)(fd, start, half))
WRITE(ssize_t, pwritev, (int fd, const struct iovec *parts, int number, off_t to), (fd, parts, number, to), parts->iov_base, parts->iov_len, REAL(pwrite)(fd, start, half, to))
WRITE(ssize_t, pwritev64, (int fd, const struct iovec *parts, int number, off64_t to), (fd, parts, number, to), parts->iov_base, parts->iov_len, REAL(pwrite64)(fd, start, half, to))

#define SIZE(name, offset) \
  int name(int fd, offset size) { \
    char path[PATH_MAX]; \
    if (!root || !is_watched(path_of(fd, path))) return REAL(name)(fd, size); \
    pthread_mutex_lock(&mutex); FAIL_IF(check(#name, path)); pthread_mutex_unlock(&mutex); \
    return REAL(name)(fd, size); \
  }
SIZE(ftruncate, off_t)
SIZE(ftruncate64, off64_t)

#define SYNC(name) \
  int name(int fd) { \
    char path[PATH_MAX]; \
    if (!root || !is_watched(path_of(fd, path))) return REAL(name)(fd); \
    pthread_mutex_lock(&mutex); FAIL_IF(check(#name, path)); \
    int result = REAL(name)(fd); \
    if (result == 0) after_sync(fd, path); \
    pthread_mutex_unlock(&mutex); \
    return result; \
  }
SYNC(fsync)
SYNC(fdatasync)

#define CHANGE(name, what) \
  int name(const char *from, const char *to) { \
    if (!is_watched(to)) return REAL(name)(from, to); \
    pthread_mutex_lock(&mutex); FAIL_IF(check(#name, to)); \
    before_change(what, from, to); \
    int result = REAL(name)(from, to), code = errno; \
    if (result && has("power-cut")) changes_count--; \
    pthread_mutex_unlock(&mutex); \
    errno = code; \
    return result; \
  }
CHANGE(rename, RENAMED)
CHANGE(link, LINKED)

int unlink(const char *path) {
  if (!is_watched(path)) return REAL(unlink)(path);
  pthread_mutex_lock(&mutex);
  FAIL_IF(check("unlink", path));
  before_change(UNLINKED, path, "");
  int result = REAL(unlink)(path), code = errno;
  if (result && has("power-cut")) changes_count--;
  pthread_mutex_unlock(&mutex);
  errno = code;
  return result;
}

int mkdir(const char *path, mode_t mode) {
  if (!is_watched(path)) return REAL(mkdir)(path, mode);
  pthread_mutex_lock(&mutex);
  FAIL_IF(check("mkdir", path));
  pthread_mutex_unlock(&mutex);
  return REAL(mkdir)(path, mode);
}

int rmdir(const char *path) {
  if (!is_watched(path)) return REAL(rmdir)(path);
  pthread_mutex_lock(&mutex);
  FAIL_IF(check("rmdir", path));
  pthread_mutex_unlock(&mutex);
  return REAL(rmdir)(path);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = REAL(clock_gettime);
  int result = real(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift;
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec precise;
  (void)zone;
  int result = clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return result;
}

time_t time(time_t *into) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (into) *into = precise.tv_sec;
  return precise.tv_sec;
}
