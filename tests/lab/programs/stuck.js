// SPDX-License-Identifier: GPL-2.0-only
// A web server whose only thread never comes back from /spin. PORT BACKLOG
const [port, backlog] = process.argv.slice(2).map(Number);
require('http').createServer((request, response) => {
	if (request.url === '/spin')
		for (;;);
	response.end('ok');
}).listen(port, '127.0.0.1', backlog);
