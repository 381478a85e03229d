/** For PowerShell 7 on Linux and macOS. */
export const POWERSHELL_COMPLETION = `# PowerShell completion for agentctl; made by: agentctl completion powershell

Register-ArgumentCompleter -Native -CommandName agentctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $textOf = {
        param($element)
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $element.Value }
        else { $element.Extent.Text }
    }
    $elements = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition })
    $words = @($elements | Select-Object -Skip 1 | ForEach-Object { & $textOf $_ })
    $executable = Get-Command agentctl -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($null -eq $executable) { return }
    $reply = @(& $executable __complete "--current=$wordToComplete" '--' powershell @words 2>$null)
    $directive, $count = "$($reply | Select-Object -First 1)" -split ' '

    switch ($directive) {
        'words' {
            $results = @($reply | Select-Object -Skip 1 | ForEach-Object {
                $value, $description = $_ -split "\`t", 2
                if ($value.StartsWith($wordToComplete)) {
                    # PowerShell would take a comma or an @ for its own.
                    $text = if ($value -match '^[\\w./:=+-]+$') { $value } else { "'" + $value.Replace("'", "''") + "'" }
                    $tip = if ($description) { $description } else { $value }
                    [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $tip)
                }
            })
            # An empty word keeps PowerShell from offering files instead.
            if ($results.Count -eq 0) { '' } else { $results }
        }
        { $_ -in 'files', 'directories' } {
            $option = if ($wordToComplete -match '^--[a-z-]+=') { $Matches[0] } else { '' }
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete.Substring($option.Length)) |
                Where-Object { $directive -eq 'files' -or $_.ResultType -eq 'ProviderContainer' } |
                ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new(
                        $option + $_.CompletionText, $_.ListItemText, $_.ResultType, $_.ToolTip)
                }
        }
        'command' {
            $first = $commandAst.CommandElements[[int]$count + 1]
            if ($null -eq $first) { return }
            $start = $first.Extent.StartOffset
            $text = $first.Extent.StartScriptPosition.GetFullScript().Substring($start)
            (TabExpansion2 -inputScript $text -cursorColumn ($cursorPosition - $start)).CompletionMatches
        }
    }
}
`;
