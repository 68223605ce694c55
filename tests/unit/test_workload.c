// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the paths which systemd and the makers of containers give to control groups are read as
 * what they stand for, and others as nothing.
 */
#include "core/workload.h"
#include "unit.h"

#include <string.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID "8d3d1d3e-53a7-4e4c-9b59-6ac9a2f1c001"
#define UID_SLICE "8d3d1d3e_53a7_4e4c_9b59_6ac9a2f1c001"

static const struct {
	const char *path, *unit, *container, *pod, *words;
} cases[] = {
	{ NULL, "", "", "", "" },
	{ "", "", "", "", "" },
	{ "/", "", "", "", "" },
	{ "/system.slice", "", "", "", "/system.slice" },
	{ "/system.slice/nginx.service", "nginx.service", "", "", "nginx.service" },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "", "",
	  "getty@tty1.service" },
	{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "", "",
	  "session-3.scope" },
	/* the innermost unit: a service of a user's own systemd */
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service", "web.service", "",
	  "", "web.service" },
	/* Docker, with systemd and without */
	{ "/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID, "", "0123456789ab" },
	{ "/docker/" ID, "", ID, "", "0123456789ab" },
	/* a service inside of a container that runs systemd: both are known */
	{ "/docker/" ID "/system.slice/cron.service", "cron.service", ID, "", "0123456789ab" },
	/* Podman; what watches the container is not in it */
	{ "/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", ID, "",
	  "0123456789ab" },
	{ "/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "", "",
	  "libpod-conmon-" ID ".scope" },
	/* Kubernetes: cgroupfs, and systemd with containerd or CRI-O */
	{ "/kubepods/burstable/pod" UID "/" ID, "", ID, UID, "0123456789ab" },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_SLICE
	  ".slice/cri-containerd-" ID ".scope", "cri-containerd-" ID ".scope", ID, UID,
	  "0123456789ab" },
	{ "/kubepods.slice/kubepods-pod" UID_SLICE ".slice/crio-" ID ".scope", "crio-" ID ".scope",
	  ID, UID, "0123456789ab" },
	/* machines that have names */
	{ "/lxc.payload.web/system.slice/cron.service", "cron.service", "web", "", "web" },
	{ "/lxc/web", "", "web", "", "web" },
	{ "/machine.slice/systemd-nspawn@web.service", "systemd-nspawn@web.service", "web", "",
	  "web" },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt",
	  "machine-qemu\\x2d1\\x2dvm.scope", "1-vm", "", "1-vm" },
	/* nearly */
	{ "/x" ID, "", "", "", "/x" ID },
	{ "/docker/0123456789abcdef", "", "", "", "/docker/0123456789abcdef" },
	{ "/docker/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF", "", "", "",
	  "/docker/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF" },
	{ "/.service", "", "", "", "/.service" },
	{ "/machine-.scope", "machine-.scope", "", "", "machine-.scope" },
	{ "/systemd-nspawn@\\x2", "", "", "", "/systemd-nspawn@\\x2" },
	{ "//a//b/", "", "", "", "//a//b/" },
};

static void paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fw_workload w;
		struct fw_buf b = { 0 };

		fw_workload_of(cases[i].path, &w);
		fw_workload_words(&b, cases[i].path);
		assert_string_equal(w.unit, cases[i].unit);
		assert_string_equal(w.container, cases[i].container);
		assert_string_equal(w.pod, cases[i].pod);
		assert_string_equal(fw_buf_str(&b), cases[i].words);
		fw_buf_free(&b);
	}
}

/* Names come from whoever makes control groups: too long is cut, never written past the end. */
static void long_names(void **state)
{
	struct fw_workload w;
	char path[1024];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	memcpy(path + sizeof(path) - sizeof(".service"), ".service", sizeof(".service"));
	fw_workload_of(path, &w);
	assert_int_equal(strlen(w.unit), FW_UNIT_LEN - 1);
	memcpy(path, "/lxc/", 5);
	fw_workload_of(path, &w);
	assert_int_equal(strlen(w.container), FW_CONTAINER_LEN - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
