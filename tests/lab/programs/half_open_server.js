// SPDX-License-Identifier: GPL-2.0-only
// A mail server that is too busy: it half-closes at once and keeps the socket. PORT
const kept = [];
require('net').createServer({ allowHalfOpen: true }, (socket) => {
	kept.push(socket);
	socket.on('error', () => {});
	socket.end('421 too busy\r\n');
	console.log(JSON.stringify({ ended: kept.length }));
}).listen(Number(process.argv[2]), '127.0.0.1');
