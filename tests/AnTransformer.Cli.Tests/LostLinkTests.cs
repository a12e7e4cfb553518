using System.Diagnostics;

namespace AnTransformer.Cli.Tests;

/// <summary>Two network namespaces of this machine as two hosts; needs root.</summary>
public sealed class LostLinkTests : IDisposable
{
    private readonly Angpt _angpt = new();
    private readonly string _first = $"angpt-a{Environment.ProcessId}";
    private readonly string _second = $"angpt-b{Environment.ProcessId}";

    public LostLinkTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Angpt.Succeeds("mpirun --version"), "mpirun is not installed");
        Assert.SkipUnless(Angpt.Succeeds($"ip netns add {_first}"), "network namespaces cannot be made (needs root and iproute2)");
        Assert.SkipUnless(
            Angpt.Succeeds($"""
                ip netns add {_second} && ip link add av{Environment.ProcessId} type veth peer name bv{Environment.ProcessId} &&
                ip link set av{Environment.ProcessId} netns {_first} && ip link set bv{Environment.ProcessId} netns {_second} &&
                ip -n {_first} addr add 10.77.0.1/24 dev av{Environment.ProcessId} &&
                ip -n {_second} addr add 10.77.0.2/24 dev bv{Environment.ProcessId} &&
                ip -n {_first} link set lo up && ip -n {_second} link set lo up &&
                ip -n {_first} link set av{Environment.ProcessId} up && ip -n {_second} link set bv{Environment.ProcessId} up
                """),
            "a pair of virtual links cannot be made");
        // In place of ssh: the second host is the second namespace.
        var remote = _angpt.In("remote.sh");
        File.WriteAllText(
            remote,
            $"#!/bin/bash\nwhile [[ $1 == -* ]]; do shift; done\nshift\nexec ip netns exec {_second} bash -c \"$*\"\n");
        Assert.True(Angpt.Succeeds($"chmod +x {remote}"));
        _angpt.Variables["TERM"] = "dumb";
        _angpt.Variables["OMPI_MCA_plm_rsh_agent"] = remote;
        // Processes of one machine would talk through its memory.
        _angpt.Variables["OMPI_MCA_btl"] = "self,tcp";
        _angpt.Variables["OMPI_MCA_btl_tcp_if_include"] = "10.77.0.0/24";
        _angpt.Variables["OMPI_MCA_oob_tcp_if_include"] = "10.77.0.0/24";
    }

    [Fact]
    public void Two_hosts_train_what_one_process_does_and_a_lost_link_ends_the_job_with_a_sentence()
    {
        _angpt.Train("--training.output", "alone").AssertSucceeded();
        Angpt.Wait(Launch("both", "--training.steps", "6")).AssertSucceeded();
        _angpt.AssertSameLosses("alone", "both");

        var process = Launch("cut", "--training.steps", "1000000", "--checkpoint.interval", "10", "--evaluation.interval", "0");
        Signals.WaitFor(process, () => Directory.Exists(_angpt.In("cut", "checkpoints", "step-00000010")));
        Assert.True(Angpt.Succeeds($"ip -n {_first} link set av{Environment.ProcessId} down"));
        var result = Angpt.Wait(process);
        Assert.Equal(5, result.ExitCode);
        Assert.Contains("a process of the job was lost", result.Error, StringComparison.Ordinal);
        // What was saved can be gone on with.
        _angpt.Run("info", "cut", "--json").AssertSucceeded();
    }

    public void Dispose()
    {
        Angpt.Succeeds($"ip netns del {_first}");
        Angpt.Succeeds($"ip netns del {_second}");
        _angpt.Dispose();
    }

    private Process Launch(string output, params string[] options)
        => _angpt.StartShell(
            $"exec ip netns exec {_first} $angpt launch -n 2 --host 10.77.0.1:1,10.77.0.2:1 -- "
                + string.Join(' ', Angpt.TrainArguments([.. options, "--training.output", output])));
}
