# A Mojolicious API whose tokens Mojo::JWT decodes. Issuer and audience are the application's own checks, and say no more than
# the status does.
use strict;
use warnings;
use Mojo::JWT;
use Mojo::Server::PSGI;
use Mojo::UserAgent;
use Mojolicious;

sub {
    my ($setup) = @_;
    my $app = Mojolicious->new(mode => 'production');
    $app->log->level('fatal')->handle(undef);
    my $keys;
    my $refuse = sub {
        my ($c, $status, $said) = @_;
        $c->res->headers->www_authenticate('Bearer') if $status == 401;
        $c->render(json => { message => $said // $c->res->default_message($status) }, status => $status);
        return;
    };
    my $api = $app->routes->under('/' => sub {
        my ($c) = @_;
        my ($token) = ($c->req->headers->authorization // '') =~ /^Bearer (.*)$/ or return $refuse->($c, 401);
        $keys //= Mojo::UserAgent->new->get($setup->{jwks})->result->json;
        my $claims = eval { Mojo::JWT->new->add_jwkset($keys)->decode($token) };
        if (!$claims) {
            chomp(my $said = $@);
            return $refuse->($c, 401, $said);
        }
        return $refuse->($c, 401) unless ($claims->{iss} // '') eq $setup->{issuer} && ($claims->{aud} // '') eq $setup->{audience};
        $c->stash(claims => $claims);
        return 1;
    });
    my $add = sub {
        my ($method, $path, $allowed) = @_;
        $path =~ s/\{(\w+)\}/<$1>/g;
        $api->any([$method] => $path => sub {
            my ($c) = @_;
            return $refuse->($c, 403) unless $allowed->($c->stash('claims'), $c);
            $c->render(json => { items => [] });
        });
    };
    for my $route (@{ $setup->{routes} }) {
        my $scope = $route->{scope};
        $add->($route->{method}, $route->{path}, sub { grep { $_ eq $scope } split / /, $_[0]{scope} // '' });
    }
    $add->('GET', $setup->{accounts}, sub { $_[0]{account_id} eq $_[1]->param('account') });
    $add->('DELETE', $setup->{admin}, sub { grep { $_ eq 'admin' } @{ $_[0]{roles} // [] } });
    return Mojo::Server::PSGI->new(app => $app)->to_psgi_app;
};
