// SPDX-License-Identifier: GPL-2.0-only
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;

/** Connects with a timeout of its own: HOST PORT TIMEOUT_MS. */
public class Impatient {
	public static void main(String[] args) throws Exception {
		InetSocketAddress to = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
		int timeouts = 0;

		while (true) {
			try (Socket s = new Socket()) {
				s.connect(to, Integer.parseInt(args[2]));
			} catch (SocketTimeoutException e) {
				System.out.println("{\"timeouts\": " + ++timeouts + "}");
			}
			Thread.sleep(200);
		}
	}
}
