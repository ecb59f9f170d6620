package testbed

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGroupsAreFoundInEveryLayout(t *testing.T) {
	const (
		version1 = "30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n" +
			"31 25 0:27 / /sys/fs/cgroup/pids rw,nosuid shared:10 - cgroup cgroup rw,pids\n" +
			"32 25 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
			"33 25 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
		unified = "34 25 0:30 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n"
	)
	for _, test := range []struct {
		name, own, mounts string
		want              groups
	}{
		{
			"version 1 without the memory controller",
			"4:memory:/limited\n3:pids:/a\n2:cpu,cpuacct:/\n1:name=systemd:/\n", version1,
			groups{{"pids", "/sys/fs/cgroup/pids/a"}, {"cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct"}, {"name=systemd", "/sys/fs/cgroup/systemd"}},
		},
		{
			"hybrid, whose controllers are in version 1",
			"3:pids:/\n0::/\n", version1 + unified,
			groups{{"pids", "/sys/fs/cgroup/pids"}},
		},
		{
			"a container that sees its own group as the root",
			"3:pids:/docker/c1\n",
			"31 25 0:27 /docker/c1 /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
			groups{{"pids", "/sys/fs/cgroup/pids"}},
		},
		{
			"version 2",
			"0::/user.slice/session-1.scope\n", "34 25 0:30 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
			groups{{"", "/sys/fs/cgroup"}},
		},
		{
			"version 2 beside a version 1 that systemd alone uses",
			"1:name=systemd:/\n0::/\n", version1 + unified,
			groups{{"", "/sys/fs/cgroup/unified"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseGroups(test.own, test.mounts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMachineWithoutCgroupsIsRefused(t *testing.T) {
	if got, err := parseGroups("0::/\n", "25 1 0:20 / /proc rw - proc proc rw\n"); err == nil {
		t.Errorf("parseGroups found %v where nothing is mounted", got)
	}
}

func TestMemoryControllerIsFoundWhereItIsOneOfItsOwn(t *testing.T) {
	const mounts = "32 25 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	got, found, err := parseMemory("4:memory:/limited\n3:pids:/a\n", mounts)
	if want := (hierarchy{"memory", "/sys/fs/cgroup/memory/limited"}); err != nil || !found || got != want {
		t.Errorf("parseMemory returns %v, %t, %v; want %v", got, found, err, want)
	}
	for own, mounts := range map[string]string{
		"0::/\n":              "34 25 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"4:memory:/limited\n": "31 25 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
	} {
		if got, found, err := parseMemory(own, mounts); err != nil || found {
			t.Errorf("parseMemory(%q) returns %v, %t, %v", own, got, found, err)
		}
	}
}
