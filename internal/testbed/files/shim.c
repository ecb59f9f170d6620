// Lets libvirt and QEMU work with CPUs and NUMA nodes that a test bed made up.
//
// Preloaded, it maps each made-up CPU on to a real one when a thread's affinity is set, writes down the CPUs that were
// asked for in /run/affinity/THREAD-STARTTIME (a CPU list, as /proc/PID/status shows it), answers from there when
// they are asked for, and accepts every NUMA policy without applying it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// A thread's ID may be given to another one later, its ID together with its start time not.
static int record_path(char *path, size_t size, pid_t thread)
{
	if (thread == 0)
		thread = (pid_t)syscall(SYS_gettid);
	char text[1024];
	snprintf(text, sizeof text, "/proc/%d/stat", thread);
	int file = open(text, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	ssize_t length = read(file, text, sizeof text - 1);
	close(file);
	if (length <= 0)
		return -1;
	text[length] = 0;

	// Field 2 is in parentheses and may hold anything; the start time is field 22.
	char *field = strrchr(text, ')');
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	if (!field)
		return -1;
	snprintf(path, size, "/run/affinity/%d-%llu", thread, strtoull(field + 1, NULL, 10));
	return 0;
}

static void remember(pid_t thread, size_t size, const cpu_set_t *asked)
{
	char path[64];
	if (record_path(path, sizeof path, thread) < 0)
		return;
	FILE *file = fopen(path, "we");
	if (!file)
		return;
	const char *separator = "";
	for (size_t first = 0; first < size * 8; first++) {
		if (!CPU_ISSET_S(first, size, asked))
			continue;
		size_t last = first;
		while (last + 1 < size * 8 && CPU_ISSET_S(last + 1, size, asked))
			last++;
		if (last == first)
			fprintf(file, "%s%zu", separator, first);
		else
			fprintf(file, "%s%zu-%zu", separator, first, last);
		separator = ",";
		first = last;
	}
	fclose(file);
}

static int recall(pid_t thread, size_t size, cpu_set_t *asked)
{
	char path[64];
	if (record_path(path, sizeof path, thread) < 0)
		return -1;
	FILE *file = fopen(path, "re");
	if (!file)
		return -1;
	memset(asked, 0, size);
	unsigned first, last;
	while (fscanf(file, "%u", &first) == 1) {
		last = first;
		int next = fgetc(file);
		if (next == '-' && fscanf(file, "%u", &last) == 1)
			next = fgetc(file);
		for (unsigned cpu = first; cpu <= last && cpu < size * 8; cpu++)
			CPU_SET_S(cpu, size, asked);
		if (next != ',')
			break;
	}
	fclose(file);
	return 0;
}

int sched_setaffinity(pid_t thread, size_t size, const cpu_set_t *asked)
{
	// What the first process may use is what the machine has; our own set may be the result of an earlier call.
	cpu_set_t machine, mapped;
	CPU_ZERO(&machine);
	CPU_ZERO(&mapped);
	if (syscall(SYS_sched_getaffinity, 1, sizeof machine, &machine) < 0)
		return -1;
	int real[CPU_SETSIZE], count = 0;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &machine))
			real[count++] = cpu;

	long made_up = sysconf(_SC_NPROCESSORS_CONF); // read from the made-up /sys
	for (long cpu = 0; cpu < made_up && cpu < (long)size * 8; cpu++)
		if (CPU_ISSET_S(cpu, size, asked))
			CPU_SET(real[cpu % count], &mapped);
	if (CPU_COUNT(&mapped) == 0) {
		errno = EINVAL;
		return -1;
	}
	if (syscall(SYS_sched_setaffinity, thread, sizeof mapped, &mapped) < 0)
		return -1;
	remember(thread, size, asked);
	return 0;
}

int sched_getaffinity(pid_t thread, size_t size, cpu_set_t *asked)
{
	if (recall(thread, size, asked) == 0)
		return 0;
	memset(asked, 0, size);
	return syscall(SYS_sched_getaffinity, thread, size, asked) < 0 ? -1 : 0;
}

// The policies of libnuma and of the kernel: there is one real node.
void numa_set_membind(void *nodes) { (void)nodes; }
void numa_set_preferred(int node) { (void)node; }
void numa_set_preferred_many(void *nodes) { (void)nodes; }
void numa_set_interleave_mask(void *nodes) { (void)nodes; }

long mbind(void *start, unsigned long length, int mode, const unsigned long *nodes, unsigned long max, unsigned flags)
{
	(void)start, (void)length, (void)mode, (void)nodes, (void)max, (void)flags;
	return 0;
}

long set_mempolicy(int mode, const unsigned long *nodes, unsigned long max)
{
	(void)mode, (void)nodes, (void)max;
	return 0;
}
