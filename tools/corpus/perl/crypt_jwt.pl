# A PSGI API that verifies with Crypt::JWT and answers with what it said.
use strict;
use warnings;
use Crypt::JWT 'decode_jwt';
use HTTP::Status 'status_message';
use JSON::PP;
use LWP::UserAgent;

sub answer {
    my ($status, $body, @headers) = @_;
    return [$status, ['Content-Type' => 'application/json', @headers], [encode_json($body)]];
}

sub {
    my ($setup) = @_;
    my $keys;
    my $fetch = sub {
        my $res = LWP::UserAgent->new(timeout => 5)->get($setup->{jwks});
        die $res->status_line . "\n" unless $res->is_success;
        return $res->decoded_content;
    };
    my @routes = map { { %$_, allowed => do { my $scope = $_->{scope}; sub { grep { $_ eq $scope } split / /, $_[0]{scope} // '' } } } }
        @{ $setup->{routes} };
    push @routes, { method => 'GET', path => $setup->{accounts}, allowed => sub { $_[0]{account_id} eq $_[1] } };
    push @routes, { method => 'DELETE', path => $setup->{admin}, allowed => sub { grep { $_ eq 'admin' } @{ $_[0]{roles} // [] } } };
    for my $route (@routes) {
        (my $pattern = $route->{path}) =~ s/\{\w+\}/([^\/]+)/g;
        $route->{pattern} = qr/^$pattern$/;
    }

    return sub {
        my ($env) = @_;
        my ($token) = ($env->{HTTP_AUTHORIZATION} // '') =~ /^Bearer +(.*)$/i;
        my $claims = eval {
            decode_jwt(
                token => $token, kid_keys => $keys //= $fetch->(), accepted_alg => $setup->{algorithm}, leeway => $setup->{skew_seconds},
                verify_iss => $setup->{issuer}, verify_aud => $setup->{audience}, verify_exp => 1, verify_iat => 1,
            );
        };
        if (!$claims) {
            chomp(my $said = $@);
            return answer(401, { error => $said }, 'WWW-Authenticate' => 'Bearer error="invalid_token"');
        }
        for my $route (@routes) {
            next unless $env->{REQUEST_METHOD} eq $route->{method};
            my @found = $env->{PATH_INFO} =~ $route->{pattern} or next;
            return $route->{allowed}->($claims, @found) ? answer(200, { items => [] }) : answer(403, { error => status_message(403) });
        }
        return answer(404, { error => status_message(404) });
    };
};
