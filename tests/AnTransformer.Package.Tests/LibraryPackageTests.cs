namespace AnTransformer.Package.Tests;

/// <summary>The library's package, as a program outside of the repository uses it.</summary>
public sealed class LibraryPackageTests : IDisposable
{
    private readonly Workshop _workshop = new();

    [Fact]
    public void A_program_with_the_READMEs_code_builds_against_the_package_and_trains()
    {
        _workshop.Pack("AnTransformer.Native");
        _workshop.Pack("AnTransformer");
        Assert.True(File.Exists(Path.Combine(_workshop.Feed, "AnTransformer.0.1.0.snupkg")));
        var readme = File.ReadAllText(Path.Combine(Workshop.Repository, "README.md"));
        var start = readme.IndexOf("```csharp\n", StringComparison.Ordinal) + "```csharp\n".Length;
        Directory.CreateDirectory(_workshop.In("Program"));
        File.WriteAllText(_workshop.In("Program", "Program.cs"), readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)]);
        File.WriteAllText(
            _workshop.In("Program", "Program.csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="AnTransformer" Version="0.1.0" />
                <PackageReference Include="libtorch-cpu-{Workshop.Runtime}" Version="2.10.0" />
              </ItemGroup>
            </Project>
            """);
        var output = _workshop.Run("dotnet", "run", "-c", "Release", "--project", "Program").AssertSucceeded().Output;
        Assert.Equal("1, 4, 9, 16, 25, 36, 49, 3, 20", output.TrimEnd().Split('\n')[^1].TrimEnd());
    }

    public void Dispose() => _workshop.Dispose();
}
