// SPDX-License-Identifier: GPL-2.0-only
import java.io.InputStream;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** Opens a connection for each request, reads part of the answer and never closes: PORT PAUSE_MS. */
public class Leaky {
	public static void main(String[] args) throws Exception {
		int port = Integer.parseInt(args[0]), pause = Integer.parseInt(args[1]);
		List<Socket> kept = new ArrayList<>();

		while (true) {
			Socket s = new Socket("127.0.0.1", port);
			s.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes());
			InputStream in = s.getInputStream();
			in.read(new byte[64]);
			kept.add(s);
			System.out.println("{\"leaked\": " + kept.size() + "}");
			Thread.sleep(pause);
		}
	}
}
