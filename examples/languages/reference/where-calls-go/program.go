package main

import (
	"example.com/pulumi-livekit-sip/sdk/go/livekitsip"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		support, err := livekitsip.NewSipTrunk(ctx, "support", &livekitsip.SipTrunkArgs{
			Type: livekitsip.SipTrunkTypeDid,
			Numbers: pulumi.StringArray{
				pulumi.String("+12025550123"),
			},
			Direction: livekitsip.SipTrunkDirectionInbound,
			Country:   pulumi.String("US"),
		})
		if err != nil {
			return err
		}
		_, err = livekitsip.NewDispatchRule(ctx, "support", &livekitsip.DispatchRuleArgs{
			Trunks: pulumi.StringArray{
				support.Reference,
			},
			Rule:       livekitsip.DispatchRuleKindIndividual,
			RoomPrefix: pulumi.String("support-"),
			Agents: livekitsip.DispatchRuleAgentArray{
				&livekitsip.DispatchRuleAgentArgs{
					AgentName: pulumi.String("receptionist"),
				},
			},
		})
		if err != nil {
			return err
		}
		return nil
	})
}
