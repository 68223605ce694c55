// SPDX-License-Identifier: GPL-2.0-only
// A web server that closes idle connections after IDLE_MS: HOST PORT IDLE_MS
// Newer versions of Node add a second. It counts them, and says how long the last one had been idle.
const [host, port, idle] = process.argv.slice(2);
const server = require('http').createServer((request, response) => {
	request.socket.lastUse = process.hrtime.bigint();
	response.end('ok');
});
let closed = 0;
server.keepAliveTimeout = Number(idle);
server.on('connection', (socket) => socket.on('close', () => {
	closed++;
	if (socket.lastUse)
		console.log(JSON.stringify({ closed,
			idle_ns: Number(process.hrtime.bigint() - socket.lastUse) }));
}));
server.listen(Number(port), host);
