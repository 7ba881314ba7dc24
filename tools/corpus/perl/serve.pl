# Starts Plack's standalone server for the one setup on the first line of standard input, prints its port, and ends with
# standard input. An adapter is a file whose value is a function from a setup to a PSGI application.
use strict;
use warnings;
use File::Basename 'dirname';
use HTTP::Server::PSGI;
use IO::Socket::INET;
use JSON::PP;

my $adapter = do("./" . dirname(__FILE__) . "/$ARGV[0].pl") or die $@ || $!;
my ($setup) = @{ decode_json(scalar <STDIN>) };
my $probe = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0) or die $!;
my $port = $probe->sockport;
close $probe;

my $child = fork // die $!;
if (!$child) {
    open STDIN, '<', '/dev/null';
    open STDERR, '>', '/dev/null';
    HTTP::Server::PSGI->new(
        host => '127.0.0.1', port => $port, timeout => 30,
        server_ready => sub { $| = 1; print "[$port]\n" },
    )->run($adapter->($setup));
    exit;
}
1 while <STDIN>;
kill TERM => $child;
waitpid $child, 0;
