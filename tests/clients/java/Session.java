import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Asks for each URL on standard input, all in one session, and prints the version of HTTP, the answer, and the cookies that
 * are held then. Arguments: the version to prefer, HTTP_1_1 or HTTP_2, and a certificate to trust.
 */
class Session {
    public static void main(String[] arguments) throws Exception {
        var cookies = new CookieManager();
        var settings = HttpClient.newBuilder()
            .version(HttpClient.Version.valueOf(arguments[0]))
            .cookieHandler(cookies);
        if (arguments.length > 1) {
            settings.sslContext(trusting(Path.of(arguments[1])));
        }
        var client = settings.build();
        var urls = new BufferedReader(new InputStreamReader(System.in));
        for (String url; (url = urls.readLine()) != null; ) {
            var request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(20)).build();
            var answer = client.send(request, BodyHandlers.ofString());
            var held = cookies.getCookieStore().getCookies().stream().map(Session::show).sorted();
            System.out.println(answer.version() + " " + answer.body() + " " + held.collect(Collectors.joining(" ")));
        }
    }

    /** The name of a cookie, the seconds that it has left, and whether it goes over TLS only. */
    private static String show(HttpCookie cookie) {
        return cookie.getName() + ":" + cookie.getMaxAge() + (cookie.getSecure() ? ":secure" : "");
    }

    private static SSLContext trusting(Path certificate) throws Exception {
        var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (var pem = Files.newInputStream(certificate)) {
            trusted.setCertificateEntry("server", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        var context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }
}
