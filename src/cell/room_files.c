#include "cell/room_files.h"

#include <limits.h>
#include <stdio.h>

#include "cell/keeper.h"

static char memory[48], threads[48];
static char *environment[] = {
	(char[]){"PATH=" AGENT_TOOLS "/bin:/usr/bin:/bin"},
	(char[]){"HOME=" AGENT_HOME},
	(char[]){"USER=researcher"},
	(char[]){"LOGNAME=researcher"},
	(char[]){"SHELL=/bin/bash"},
	(char[]){"LANG=C.UTF-8"},
	(char[]){"TMPDIR=/tmp"},
	(char[]){"MPLCONFIGDIR=/tmp/matplotlib"},
	(char[]){"JUPYTER_CONFIG_DIR=/etc/jupyter"},
	(char[]){"JUPYTER_RUNTIME_DIR=/tmp/jupyter"},
	(char[]){"PYTHONDONTWRITEBYTECODE=1"},
	memory,
	threads,
	NULL,
};

/*
 * What the notebook server must not do, beside what the gate refuses to pass: no raw files, no conversions to download, no news, no
 * extensions from outside, no questions to the internet. It is no wall: who works in a cell may run another server. The walls are outside.
 */
static const char notebook_config[] =
	"from jupyter_server.files import handlers as files\n"
	"from jupyter_server.nbconvert import handlers as nbconvert\n"
	"from jupyter_server.view import handlers as view\n"
	"for closed in (files, nbconvert, view):\n"
	"    closed.default_handlers.clear()\n"
	"c = get_config()  # noqa: F821\n"
	"c.ServerApp.root_dir = '" AGENT_HOME "'\n"
	"c.ServerApp.open_browser = False\n"
	"c.ServerApp.allow_remote_access = True\n"
	"c.ServerApp.quit_button = False\n"
	"c.ServerApp.terminals_enabled = True\n"
	"c.ServerApp.jpserver_extensions = {'jupyterlab': True, 'jupyter_server_terminals': True, 'jupyter_lsp': False, 'notebook_shim': False}\n"
	"c.IdentityProvider.token = ''\n"
	"c.ExtensionApp.open_browser = False\n"
	"c.LabApp.extension_manager = 'readonly'\n"
	"c.LabApp.check_for_updates_class = 'jupyterlab.handlers.announcements.NeverCheckForUpdate'\n"
	"c.LabApp.news_url = None\n"
	"c.LabServerApp.blocked_extensions_uris = ''\n"
	"c.FileContentsManager.delete_to_trash = False\n"
	"c.MappingKernelManager.cull_idle_timeout = 3600\n"
	"c.MappingKernelManager.cull_interval = 300\n"
	"c.MappingKernelManager.cull_connected = False\n"
	"c.TerminalManager.cull_inactive_timeout = 3600\n"
	"c.KernelSpecManager.ensure_native_kernel = True\n";

static const char page_config[] =
	"{\"disabledExtensions\": {\"@jupyterlab/apputils-extension:announcements\": true,"
	" \"@jupyterlab/extensionmanager-extension\": true, \"@jupyterlab/filebrowser-extension:download\": true,"
	" \"@jupyterlab/docmanager-extension:download\": true, \"@jupyterlab/lsp-extension\": true}}\n";

char *const *
room_environment(void)
{
	return environment;
}

struct err
room_files_put(const char *top, const struct cell_limits *l)
{
	/* the name server's address leads nowhere (RFC 5737): a look-up is an attempt that is refused and counted */
	static const struct { const char *path; struct str text; } files[] = {
		{"passwd", STR("researcher:x:1000:1000:researcher:" AGENT_HOME ":/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n")},
		{"group", STR("researcher:x:1000:\nnogroup:x:65534:\n")},
		{"nsswitch.conf", STR("passwd: files\ngroup: files\nhosts: files dns\n")},
		{"hosts", STR("127.0.0.1 localhost cell\n::1 localhost cell\n")},
		{"hostname", STR("cell\n")},
		{"resolv.conf", STR("nameserver 192.0.2.53\noptions timeout:1 attempts:1\n")},
		{"jupyter/jupyter_server_config.py", {notebook_config, sizeof(notebook_config) - 1}},
		{"jupyter/labconfig/page_config.json", {page_config, sizeof(page_config) - 1}},
	};
	char path[PATH_MAX];

	snprintf(memory, sizeof(memory), "CELL_MEMORY_MIB=%u", l->memory_mib);
	snprintf(threads, sizeof(threads), "OMP_NUM_THREADS=%u", l->cpus);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/etc/%s", top, files[i].path);
		TRY(put_text(path, files[i].text));
	}
	return OK;
}
