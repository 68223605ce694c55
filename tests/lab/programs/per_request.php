<?php
// SPDX-License-Identifier: GPL-2.0-only
// Opens Redis for each request: PORT PAUSE_US
$counts = ['ok' => 0, 'failed' => 0];
while (true) {
	$redis = @stream_socket_client('tcp://127.0.0.1:' . $argv[1], $errno, $text, 2);
	if ($redis) {
		fwrite($redis, "PING\r\n");
		fgets($redis);
		fclose($redis);
		$counts['ok']++;
	} else {
		$counts['failed']++;
		$counts["errno_$errno"] = ($counts["errno_$errno"] ?? 0) + 1;
	}
	if (array_sum($counts) % 20 < 2)
		echo json_encode($counts), "\n";
	usleep($redis ? (int)$argv[2] : 20000);
}
