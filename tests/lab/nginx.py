#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""nginx as a proxy without keep-alive to its upstream: a connection per request."""

import http.client

from lab import HOST, count_in_state, equal, main, wait_until

REQUESTS = 400

NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {directory};
    proxy_temp_path {directory};
    fastcgi_temp_path {directory};
    uwsgi_temp_path {directory};
    scgi_temp_path {directory};
    server {{
        listen {host}:8080;
        keepalive_requests 100000;
        location / {{ proxy_pass http://{host}:9000; }}
    }}
}}
"""

UPSTREAM = f"""
listener = socket.create_server(("{HOST}", 9000), backlog=100)
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n")
    connection.close()
"""


class Nginx:
    arguments = []

    def cause(self, lab):
        netns = lab.netns()
        lab.program(netns, "upstream", UPSTREAM)
        conf = netns.file("nginx.conf", NGINX.format(directory=netns.directory.name, host=HOST))
        self.nginx = netns.start("nginx", "-c", conf)
        wait_until(lambda: netns.is_listening(8080) and netns.is_listening(9000), 20, "nginx")
        client = http.client.HTTPConnection(HOST, 8080, timeout=10)
        client.sock = netns.connect(8080, HOST)
        for _ in range(REQUESTS):
            client.request("GET", "/")
            assert client.getresponse().read() == b"hello\n"
        lab.keep.append(client)
        wait_until(lambda: netns.time_waits() >= REQUESTS, 10, "TIME_WAIT")
        # When both close at once, both get a TIME_WAIT.
        return {
            "requests": REQUESTS,
            "ss_nginx": count_in_state(netns, "time-wait", "dport", "=", ":9000"),
            "ss_upstream": count_in_state(netns, "time-wait", "sport", "=", ":9000"),
        }

    def expect(self, report, counted, _lab):
        finding = report.first("short-connections")
        culprit = finding["offenders"][0]
        yield equal("culprit", culprit["process"], f"nginx/{self.nginx.pid}")
        yield equal("destination", culprit["remote"], f"{HOST}:9000")
        yield equal("connections", culprit["opened"], counted["requests"])
        yield equal("TIME_WAITs at nginx", culprit["time_waits"], counted["ss_nginx"], "ss's count")
        services = {row["port"]: row for row in report.section("closers")["by_service"]}
        yield equal("TIME_WAITs upstream", services[9000]["time_waits"], counted["ss_upstream"],
                    "ss's count")


if __name__ == "__main__":
    raise SystemExit(main(Nginx()))
