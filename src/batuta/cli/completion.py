"""`batuta completion`: the script by which a shell completes commands and options."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      eval "$(batuta completion bash)"          in ~/.bashrc
      eval "$(batuta completion zsh)"           in ~/.zshrc
      batuta completion fish | source           in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    from batuta.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "batuta", "_BATUTA_COMPLETE").source())
