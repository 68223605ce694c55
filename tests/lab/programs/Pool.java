// SPDX-License-Identifier: GPL-2.0-only
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** A pool of SIZE connections to Redis, of which BUSY are used: PORT SIZE BUSY. */
public class Pool {
	public static void main(String[] args) throws Exception {
		int port = Integer.parseInt(args[0]), size = Integer.parseInt(args[1]);
		int busy = Integer.parseInt(args[2]);
		List<Socket> pool = new ArrayList<>();

		for (int i = 0; i < size; i++)
			pool.add(new Socket("127.0.0.1", port));
		while (true) {
			for (int i = 0; i < busy; i++) {
				Socket s = pool.get(i);
				s.getOutputStream().write("PING\r\n".getBytes());
				new BufferedReader(new InputStreamReader(s.getInputStream())).readLine();
			}
			Thread.sleep(500);
		}
	}
}
