package main

import (
	"example.com/pulumi-livekit-sip/sdk/go/livekitsip"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		conf := config.New(ctx, "")
		reception, err := livekitsip.NewSipTrunk(ctx, "reception", &livekitsip.SipTrunkArgs{
			Type:      livekitsip.SipTrunkTypeExtension,
			Extension: pulumi.String("1011"),
			Address:   pulumi.String(conf.Require("address")),
			Password:  conf.RequireSecret("password"),
			Country:   pulumi.String("US"),
		})
		if err != nil {
			return err
		}
		_, err = livekitsip.NewInboundAuth(ctx, "reception", &livekitsip.InboundAuthArgs{
			Trunk:  reception.Reference,
			Method: livekitsip.InboundAuthMethodCredentials,
		})
		if err != nil {
			return err
		}
		_, err = livekitsip.NewDispatchRule(ctx, "reception", &livekitsip.DispatchRuleArgs{
			Trunks: pulumi.StringArray{reception.Reference},
			Rule:   livekitsip.DispatchRuleKindIndividual,
			Agents: livekitsip.DispatchRuleAgentArray{
				&livekitsip.DispatchRuleAgentArgs{AgentName: pulumi.String("receptionist")},
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("outboundTrunkId", reception.OutboundTrunkId)
		return nil
	})
}
