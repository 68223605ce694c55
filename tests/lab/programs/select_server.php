<?php
// SPDX-License-Identifier: GPL-2.0-only
// A select() server, which is deaf above descriptor 1023: PORT
$listener = stream_socket_server("tcp://127.0.0.1:" . $argv[1]);
$connections = [];
while (true) {
	$read = array_merge([$listener], $connections);
	$write = $except = null;
	if (@stream_select($read, $write, $except, 1) === false) {
		usleep(100000);
		while ($one = @stream_socket_accept($listener, 0))
			$connections[(int)$one] = $one;
		continue;
	}
	foreach ($read as $one) {
		if ($one === $listener) {
			if ($new = @stream_socket_accept($listener, 0))
				$connections[(int)$new] = $new;
			continue;
		}
		$data = fread($one, 100);
		if ($data === '' || $data === false) {
			fclose($one);
			unset($connections[(int)$one]);
		} else {
			fwrite($one, $data);
		}
	}
}
