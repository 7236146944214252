// The least that libcurl costs: threads with one easy handle each send the same PUTs as keyreg and look only at the status.
//
//   bare_loop URL THREADS < LIST
//
// URL is what comes before the key id. Prints {"seconds": …, "cpu": …}; ends with 1 unless every answer was 201.

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ID = 36 };

static const char *base;
static char (*ids)[ID + 1];
static size_t count;
static atomic_size_t next, registered;

static size_t discard(char *bytes, size_t size, size_t number, void *context) { return size * number; }

static void *work(void *unused) {
  CURL *handle = curl_easy_init();
  struct curl_slist *headers = NULL;
  headers = curl_slist_append(headers, "Accept: application/json");
  headers = curl_slist_append(headers, "DD-API-KEY: check-api-key");
  headers = curl_slist_append(headers, "DD-APPLICATION-KEY: check-app-key");
  headers = curl_slist_append(headers, "Content-Length: 0");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "bare-loop");
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, discard);
  char url[512];
  for (size_t i; (i = atomic_fetch_add(&next, 1)) < count;) {
    snprintf(url, sizeof url, "%s%s", base, ids[i]);
    curl_easy_setopt(handle, CURLOPT_URL, url);
    long status = 0;
    if (curl_easy_perform(handle) == CURLE_OK) curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (status == 201) atomic_fetch_add(&registered, 1);
  }
  curl_easy_cleanup(handle);
  curl_slist_free_all(headers);
  return NULL;
}

static double seconds(struct timeval time) { return time.tv_sec + time.tv_usec / 1e6; }

static double processor(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  base = argv[1];
  int threads = atoi(argv[2]);
  size_t room = 0;
  char line[128];
  while (fgets(line, sizeof line, stdin)) {
    if (count == room) ids = realloc(ids, (room = room ? room * 2 : 1024) * sizeof *ids);
    line[strcspn(line, "\n")] = 0;
    snprintf(ids[count++], sizeof *ids, "%.*s", ID, line);
  }
  curl_global_init(CURL_GLOBAL_ALL);
  double begun = now(), used = processor();
  pthread_t *workers = calloc(threads, sizeof *workers);
  for (int i = 0; i < threads; i++) pthread_create(&workers[i], NULL, work, NULL);
  for (int i = 0; i < threads; i++) pthread_join(workers[i], NULL);
  printf("{\"seconds\": %.6f, \"cpu\": %.6f}\n", now() - begun, processor() - used);
  return registered == count ? 0 : 1;
}
